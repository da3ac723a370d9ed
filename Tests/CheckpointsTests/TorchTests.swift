import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

/// Files of `torch.save`: those of PyTorch itself, and those that someone made to do harm.
@Suite struct TorchTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Golden/checkpoints")
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func golden(_ name: String) throws -> Checkpoint {
        try Checkpoint(contentsOf: Self.golden.appending(path: name))
    }

    private func bytes(_ name: String, _ checkpoint: Checkpoint) throws -> [UInt8] {
        let entry = try #require(checkpoint.entry(named: name))
        let mapped = try checkpoint.map([name], additionalBytes: 0)
        return Array(try #require(mapped.bytes(of: name, entry)))
    }

    @Test(arguments: [
        ("archive.ckpt", CheckpointFormat.torchArchive), ("legacy.ckpt", .torchLegacy),
    ])
    func bothFormatsAreTheirSafetensorsToTheByte(_ file: String, _ format: CheckpointFormat) throws {
        let (pickled, wanted) = (try golden(file), try golden("tensors.safetensors"))
        #expect(pickled.format == format && wanted.format == .safetensors)
        #expect(pickled.names.sorted() == wanted.names.sorted())
        for name in wanted.names {
            #expect(pickled.entry(named: name) == wanted.entry(named: name), "\(name)")
            #expect(try bytes(name, pickled) == bytes(name, wanted), "\(name)")
        }
        // All at once too, with room behind them.
        let all = try pickled.map(additionalBytes: 100)
        #expect(all.additionalOffset % 64 == 0 && all.bytes.count >= all.additionalOffset + 100)
        #expect(all.bytes[all.additionalOffset...].allSatisfy { $0 == 0 })
    }

    @Test func trainedCheckpointsHaveTheirWeightsInside() throws {
        let checkpoint = try golden("lightning.ckpt")
        #expect(checkpoint.names.sorted() == ["b", "inner.a"])
        #expect(try bytes("inner.a", checkpoint) == bytes("float32", golden("tensors.safetensors")))
        #expect(checkpoint.metadata["epoch"] == "6" && checkpoint.metadata["global_step"] == "470000")
        #expect(checkpoint.metadata["pytorch-lightning_version"] == "1.4.2")
    }

    @Test(arguments: ["embedding.pt", "embedding-legacy.pt"])
    func modulesOfParametersAreDictionaries(_ file: String) throws {
        let checkpoint = try golden(file)
        #expect(checkpoint.names.sorted() == ["string_to_param.*", "string_to_token.*"])
        #expect(
            try bytes("string_to_param.*", checkpoint) == bytes("every.second", golden("tensors.safetensors"))
        )
        #expect(checkpoint.metadata["name"] == "style" && checkpoint.metadata["step"] == "500")
    }

    @Test func theContentSaysWhatAFileIs() throws {
        let archive = try Data(contentsOf: Self.golden.appending(path: "archive.ckpt"))
        let safetensors = try Data(contentsOf: Self.golden.appending(path: "tensors.safetensors"))
        let named = try Checkpoint(contentsOf: folder.write(Array(archive), to: "a.safetensors"))
        #expect(named.format == .torchArchive)
        let other = try Checkpoint(contentsOf: folder.write(Array(safetensors), to: "b.ckpt"))
        #expect(other.format == .safetensors)
    }

    // MARK: - Pickles

    private func read(_ pickle: PickleBytes) -> Result<PickleValues, TorchError> {
        pickle.bytes.withUnsafeBytes { bytes in
            Result { () throws(TorchError) in
                var reader = PickleReader(bytes, path: "a.ckpt")
                _ = try reader.read()
                return reader.values
            }
        }
    }

    private func problem(_ pickle: PickleBytes) -> TorchError.Problem? {
        if case .failure(let error) = read(pickle) { error.problem } else { nil }
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"),
        ("torch.hub", "load"), ("torch", "load"), ("torch._utils", "_rebuild_sparse_tensor"),
        ("subprocess", "Popen"), ("collections", "OrderedDict.fromkeys"), ("__builtin__", "getattr"),
    ])
    func callsAreNamedAndNotMade(_ module: String, _ name: String) {
        let pickle: PickleBytes = [
            .proto, .global(module, name), .text("echo harm"), .tuple1, .reduce, .stop,
        ]
        guard case .forbidden(let what, offset: 2)? = problem(pickle) else {
            Issue.record("\(module).\(name) was let through")
            return
        }
        #expect(what == "\"\(module).\(name)\"")
    }

    /// STACK_GLOBAL, INST, OBJ, EXT1, FRAME, MEMOIZE, LONG4, BINBYTES, PUT, DUP, POP.
    @Test(arguments: [0x93, 0x69, 0x6F, 0x82, 0x95, 0x94, 0x8B, 0x42, 0x70, 0x32, 0x30] as [UInt8])
    func otherInstructionsAreRefused(_ opcode: UInt8) {
        let text = "instruction 0x" + String(opcode, radix: 16)
        #expect(problem([.proto, .none, .raw(opcode), .stop]) == .forbidden(text, offset: 3))
    }

    @Test(
        arguments: [
            ([.proto, .stop], "0 values"), ([.proto, .append, .stop], "empty"),
            ([.proto, .tuple, .stop], "no mark"),
            ([.proto, .get(7), .stop], "place 7"), ([.proto, .none], "ends in the middle"),
            ([.proto, .none, .none, .stop], "2 values"), ([.proto, .mark, .none, .stop], "1 marks"),
            ([.proto, .mark, .put(0), .stop], "empty"), ([.proto, .none, .mark, .tuple1, .stop], "empty"),
            ([.proto, .text("a"), .raw(0x58, 255, 255, 255, 255), .stop], "ends in the middle"),
            ([.proto, .raw(0x58, 1, 0, 0, 0, 0xFF), .stop], "UTF-8"),
            ([.proto, .list, .text("a"), .none, .setItem, .stop], "items are set in a list"),
            ([.proto, .dictionary, .none, .append, .stop], "appended to a dictionary"),
            ([.proto, .dictionary, .mark, .none, .setItems, .stop], "a key has no value"),
            ([.proto, .list, .dictionary, .build, .stop], "a state is given to a list"),
            (
                [.proto, .tensor([1], strides: [1], count: 1), .dictionary, .build, .stop],
                "given to a tensor"
            ),
            (
                [.proto, .tensor([1], strides: [1], count: 1), .none, .none, .setItem, .stop],
                "set in a tensor"
            ),
            ([.proto, .none, .emptyTuple, .reduce, .stop], "a call of None"),
            ([.proto, .dictionary, .emptyTuple, .newObject, .stop], "an object of a dictionary"),
            ([.proto, .global("collections", "OrderedDict"), .list, .reduce, .stop], "called with a list"),
            ([.proto, .text("x"), .persistent, .stop], "not described"),
            ([.proto, .tensor([1], strides: [1], count: 1, kind: "module"), .stop], "not described"),
            ([.proto, .tensor([1], strides: [1], key: "../x", count: 1), .stop], "not a number"),
            ([.proto, .tensor([1], strides: [1], key: "", count: 1), .stop], "not a number"),
            ([.raw(0x80, 9), .none, .stop], "protocol 9"), ([.raw(0x63, 0x61)], "does not end"),
        ] as [(PickleBytes, String)])
    func damagedPicklesAreRefused(_ pickle: PickleBytes, _ reason: String) throws {
        guard case .failure(let error) = read(pickle) else {
            Issue.record("it was read")
            return
        }
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test(arguments: [
        ([2, 3], [3, 1], 0, 5, "beyond"), ([2, 3], [3, 1], 1, 6, "beyond"), ([2], [-1], 0, 4, "negative"),
        ([-2], [1], 0, 4, "negative"), ([2], [1], -1, 4, "negative"), ([2], [Int.max], 0, 4, "beyond"),
        ([2, 2], [Int.max / 2 + 1, Int.max / 2 + 1], 0, 4, "beyond"), ([1 << 60], [0], 0, 4, "repeats"),
        ([1 << 62, 4], [0, 0], 0, 4, "tooLarge"), ([5], [0], 0, 4, "repeats"), ([2], [1, 1], 0, 4, "rank"),
        ([Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65), 0, 4, "rank"),
        ([0], [1], 9, 4, "beyond"), ([1], [1], Int.max, 4, "beyond"),
    ])
    func impossibleViewsAreRefused(
        _ shape: [Int], _ strides: [Int], _ offset: Int, _ count: Int, _ kind: String
    ) throws {
        let pickle = PickleBytes.file(
            .tensor(shape, strides: strides, offset: offset, count: count))
        guard case .tensor(_, let reason, _)? = problem(pickle) else {
            Issue.record("it was read")
            return
        }
        let words = [
            "beyond": "behind the end", "negative": "below 0", "tooLarge": "addressed",
            "repeats": "more than",
            "rank": "strides",
        ]
        #expect(reason.contains(try #require(words[kind])), "\(reason)")
    }

    // MARK: - Archives

    private func archive(
        _ pickle: PickleBytes = .file(.tensor([2], strides: [1], count: 2)),
        storage: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    ) -> ZipBytes {
        ZipBytes(members: [
            .init(name: "a/data.pkl", bytes: pickle.bytes), .init(name: "a/data/0", bytes: storage),
        ])
    }

    private func archiveProblem(_ zip: ZipBytes) throws -> TorchError.Problem? {
        try fileProblem(zip.bytes)
    }

    private func fileProblem(_ bytes: [UInt8]) throws -> TorchError.Problem? {
        let url = try folder.write(bytes, to: "a.ckpt")
        do {
            _ = try Checkpoint(contentsOf: url)
            return nil
        } catch let error as TorchError {
            #expect(error.description.contains("a.ckpt"))
            return error.problem
        }
    }

    @Test func membersThatNobodyKnowsAreIgnored() throws {
        var zip = archive()
        zip.members.append(.init(name: "a/code/program.py", bytes: Array("import os".utf8)))
        zip.members.append(.init(name: "a/version", bytes: Array("3\n".utf8)))
        zip.members.append(.init(name: "a/byteorder", bytes: Array("little".utf8)))
        #expect(try archiveProblem(zip) == nil)
        for order in [Array("big".utf8), [0xFF, 0xFE], []] {
            zip.members[4].bytes = order
            guard case .unsupported? = try archiveProblem(zip) else {
                Issue.record("values of byte order \(order) were taken as they are")
                return
            }
        }
    }

    @Test func storagesHaveTheBytesThatThePickleSays() throws {
        #expect(
            try archiveProblem(archive(storage: [0, 0, 0, 0]))
                == .storage(key: "0", expected: 8, actual: 4))
        let other = PickleBytes.file(.tensor([2], strides: [1], key: "1", count: 2))
        #expect(try archiveProblem(archive(other)) == .storage(key: "1", expected: 8, actual: nil))
        let huge = PickleBytes.file(.tensor([2], strides: [1], count: 1 << 60))
        #expect(try archiveProblem(archive(huge)) == .storage(key: "0", expected: 1 << 62, actual: 8))
        let beyond = PickleBytes.file(.tensor([2], strides: [1], count: 1 << 62))
        #expect(try archiveProblem(archive(beyond)) == .storageTooLarge(key: "0", elements: 1 << 62))
    }

    @Test func archivesThatPyTorchDoesNotWriteAreRefused() throws {
        func expect(_ reason: String, _ change: (inout ZipBytes) -> Void) throws {
            var zip = archive()
            change(&zip)
            guard case .archive(let actual)? = try archiveProblem(zip) else {
                Issue.record("\(reason): it was read")
                return
            }
            #expect(actual.contains(reason), "\(actual)")
        }
        try expect("compressed") { $0.members[1].method = 8 }
        try expect("encrypted") { $0.members[1].flags = 1 }
        try expect("something else") { $0.members[1].localName = "a/data/7" }
        try expect("two members are named") { $0.members.append($0.members[0]) }
        try expect("2 members data.pkl") { zip in
            var copy = zip.members[0]
            copy.name = "b/data.pkl"
            zip.members.append(copy)
        }
        try expect("one place") { zip in
            var inner = ZipBytes.Member(name: "a/data/1", bytes: [1, 2, 3])
            zip.members[1].bytes = inner.local
            inner.offset = UInt32(zip.members[0].local.count + zip.members[1].local.count - inner.local.count)
            inner.isOnlyListed = true
            zip.members.append(inner)
        }
        for name in ["/etc/passwd", "../x", "a/../../x", "C:x", "a\\b"] {
            try expect("leads out") { $0.members.append(.init(name: name, bytes: [1])) }
        }
        try expect("empty name") { $0.members.append(.init(name: "", bytes: [1])) }
        try expect("another of several parts") { $0.members[1].part = 1 }
        try expect("not where") { $0.members[1].offset = 5 }
        try expect("not where") { $0.members[1].offset = .max - 1 }
        try expect("damaged at") { $0.countInEnd = 3 }
        try expect("too many") { $0.countInEnd = 1 }
        try expect("behind the end") { $0.directoryOffset = 100_000 }
        try expect("64-bit record") { $0.countInEnd = .max }
        try expect("0 members data.pkl") { $0.members.removeFirst() }
    }

    // M39
    @Test func bytesThatChecksumsAreNotOfAreFound() throws {
        func checkpoint(_ change: (inout ZipBytes) -> Void) throws -> Checkpoint {
            var zip = archive()
            change(&zip)
            return try Checkpoint(contentsOf: folder.write(zip.bytes, to: "a.ckpt"))
        }
        // What the weights are is read at once; their bytes where all of them are read anyway.
        #expect {
            _ = try checkpoint { $0.members[0].checksum = 1 }
        } throws: {
            guard case .checksum("a/data.pkl", 1, _)? = ($0 as? TorchError)?.problem else { return false }
            return true
        }
        let damaged = try checkpoint { $0.members[1].checksum = 0xABC }
        for weights in [damaged, damaged.weights(under: "")] as [any WeightStorage] {
            #expect {
                try weights.validateChecksums()
            } throws: {
                guard case .checksum("a/data/0", 0xABC, _)? = ($0 as? TorchError)?.problem else {
                    return false
                }
                return "\($0)".contains("the archive's own is 00000abc")
            }
        }
        try checkpoint { _ in }.validateChecksums()
        // PyTorch can be told to compute none, and then writes zeros.
        let without = try checkpoint { zip in
            for index in zip.members.indices { zip.members[index].checksum = 0 }
        }
        try without.validateChecksums()
        #expect(without.names == ["a"])
    }

    @Test func cutAndChangedFilesDoNotTrap() throws {
        var generator = SystemRandomNumberGenerator()
        for name in ["archive.ckpt", "legacy.ckpt", "lightning.ckpt", "embedding-legacy.pt"] {
            let whole = Array(try Data(contentsOf: Self.golden.appending(path: name)))
            for length in stride(from: 0, to: whole.count - 1, by: 37) {
                let cut = try folder.write(Array(whole[..<length]), to: "cut.ckpt")
                #expect(throws: (any Error).self, "\(length) bytes of \(name)") {
                    try Checkpoint(contentsOf: cut)
                }
            }
            for _ in 0..<300 {
                var changed = whole
                for _ in 0..<3 {
                    changed[.random(in: 0..<whole.count, using: &generator)] = .random(in: 0...255)
                }
                let url = try folder.write(changed, to: "changed.ckpt")
                if let checkpoint = try? Checkpoint(contentsOf: url) {
                    _ = try checkpoint.map(additionalBytes: 0).firstNonFinite(in: checkpoint)
                }
            }
        }
    }

    // M41, M42
    @Test func filesOfFivePicklesAreHeldToTheSameRules() throws {
        func file(
            version: Int = 1001, isLittle: Bool = true,
            object: PickleBytes = .file(.tensor([2], strides: [1], count: 2)), keys: [String] = ["0"],
            count: Int = 2, values: Int = 8
        ) -> [UInt8] {
            let magic: PickleBytes = [.proto, .raw(0x8A, 10), PickleBytes(LegacyTorchFile.magic), .stop]
            let machine: PickleBytes = [
                .proto, .dictionary, .text("little_endian"), isLittle ? .raw(0x88) : .false, .setItem, .stop,
            ]
            let list: PickleBytes = [
                .proto, .list,
                PickleBytes(keys.flatMap { PickleBytes.text($0).bytes + PickleBytes.append.bytes }),
                .stop,
            ]
            let start: PickleBytes = [magic, .proto, .integer(version), .stop, machine, object, list]
            return start.bytes + littleEndian(Int64(count)) + [UInt8](repeating: 0, count: values)
        }
        #expect(try fileProblem(file()) == nil)
        let harm: PickleBytes = [
            .proto, .global("posix", "system"), .text("echo harm"), .tuple1, .reduce, .stop,
        ]
        guard case .forbidden("\"posix.system\"", _)? = try fileProblem(file(object: harm)) else {
            Issue.record("a call was let through")
            return
        }
        for (bytes, reason) in [
            (file(version: 1000), "protocol is 1000"), (file(isLittle: false), "byte order is \"big\""),
            (file(keys: ["0", "0"], values: 24), "has 0 elements"), (file(keys: ["7"]), "is not used"),
            (file(count: 1 << 60), "has 1152921504606846976 elements, not 2"),
            (file(count: -1), "has -1 elements"),
        ] {
            guard case .unsupported(let what, _)? = try fileProblem(bytes) else {
                Issue.record("\(reason): it was read")
                continue
            }
            #expect(what.contains(reason), "\(what)")
        }
        #expect(try fileProblem(file(values: 7)) == .storage(key: "0", expected: 8, actual: 7))
        #expect(try fileProblem(file(keys: [])) == .storage(key: "0", expected: 8, actual: nil))
        let huge = PickleBytes.file(.tensor([2], strides: [1], count: 1 << 60))
        #expect(
            try fileProblem(file(object: huge, count: 1 << 60))
                == .storage(key: "0", expected: 1 << 62, actual: 8))
        let view = PickleBytes.file(.tensor([1 << 60], strides: [0], count: 2))
        guard case .tensor? = try fileProblem(file(object: view)) else {
            Issue.record("a view of 2⁶⁰ elements was taken")
            return
        }
    }

    @Test func picklesThatAreNoWeightsSaySo() throws {
        #expect(
            try archiveProblem(archive([.proto, .list, .stop])) == .noTensors(found: "a list of 0"))
        #expect(
            try archiveProblem(archive(.file(.tensor([2], strides: [1], count: 2), named: "a\u{7}")))
                == .name("a\u{7}", reason: "the name has a control character"))
    }

    @Test func otherFilesAreNamed() throws {
        let name = Array("storages".utf8) + [UInt8](repeating: 0, count: 249)
        let tar = name + Array("ustar\u{0}00".utf8) + [UInt8](repeating: 0, count: 247)
        for (bytes, what) in [
            (tar, "tar"), (PickleBytes.file(.none).bytes + [UInt8](repeating: 0, count: 700), "pickle"),
        ] {
            let url = try folder.write(bytes, to: "a.pt")
            let error = #expect(throws: SafetensorsError.self) { try Checkpoint(contentsOf: url) }
            #expect("\(error.map(\.description) ?? "")".contains(what))
        }
    }
}
