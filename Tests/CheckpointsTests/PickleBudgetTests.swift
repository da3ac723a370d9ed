import Foundation
import Testing

@testable import Checkpoints

/// Small pickles that ask for much: each is read, or refused, in little time and memory.
@Suite struct PickleBudgetTests {
    private let folder = try! TemporaryFolder()

    private func values(_ pickle: PickleBytes) throws -> PickleValues {
        try pickle.bytes.withUnsafeBytes { bytes in
            var reader = PickleReader(bytes, path: "a.ckpt")
            _ = try reader.read()
            return reader.values
        }
    }

    private func problem(_ pickle: PickleBytes) throws -> TorchError.Problem? {
        let file = ZipBytes(members: [
            .init(name: "a/data.pkl", bytes: pickle.bytes), .init(name: "a/data/0", bytes: [0, 0, 0, 0]),
        ]).bytes
        let url = try folder.write(file, to: "bomb.ckpt")
        do {
            _ = try Checkpoint(contentsOf: url)
            return nil
        } catch let error as TorchError {
            return error.problem
        }
    }

    private static let tensor = PickleBytes.tensor([1], strides: [1], count: 1)

    private static func repeated(_ count: Int, _ part: (Int) -> PickleBytes) -> PickleBytes {
        PickleBytes((0..<count).flatMap { part($0).bytes })
    }

    @Test func depthCostsNothing() throws {
        // 100,000 tuples in one another, and a list that has itself.
        #expect(
            try problem([.proto, .none, Self.repeated(100_000) { _ in .tuple1 }, .stop])
                == .noTensors(found: "a tuple of 1"))
        #expect(
            try problem([.proto, .list, .put(0), .get(0), .append, .stop]) == .noTensors(found: "a list of 1")
        )
    }

    @Test func aDictionaryThatHasItselfIsRefused() throws {
        #expect(
            try problem([.proto, .dictionary, .put(0), .text("a"), .get(0), .setItem, .stop])
                == .dictionaryDepth(limit: 16))
    }

    /// Dictionaries that each have the one before twice: 2⁴⁰ names in 500 bytes.
    @Test func sharingDoesNotExplode() throws {
        var values: PickleBytes = [Self.tensor, .put(0)]
        for _ in 0..<40 {
            values = [
                values, .dictionary, .mark, .text("a"), .get(0), .text("b"), .get(0), .setItems, .put(0),
            ]
        }
        let root: PickleBytes = [
            .proto, .dictionary, .text("beside"), .mark, values, .tuple, .setItem, .text("state_dict"),
            .get(0), .setItem, .stop,
        ]
        #expect(try problem(root) == .dictionaryDepth(limit: 16))
    }

    /// A file of a tensor and of what is at place 0 of the memo then, under 20,000 names more.
    private static func namedOften(_ wide: PickleBytes) -> PickleBytes {
        let names = repeated(20_000) { [.text("\($0)"), .get(0)] }
        return [
            .proto, .dictionary, .mark, .text("t"), tensor, .text("w"), wide, names, .setItems, .stop,
        ]
    }

    /// One dictionary of 20,000 numbers that is named 20,000 times: 4 · 10⁸ members in 400 kB.
    @Test(arguments: [PickleBytes.integer(1), .text("a")])
    func aWideDictionaryIsNotGoneThroughWithoutEnd(_ key: PickleBytes) throws {
        let wide: PickleBytes = [
            .dictionary, .mark, key, .put(1), .none, Self.repeated(19_999) { _ in [.get(1), .none] },
            .setItems, .put(0),
        ]
        #expect(try problem(Self.namedOften(wide)) == .dictionaryMembers(limit: 1_000_000))
    }

    /// A module is gone through as a dictionary is.
    @Test func aWideModuleIsNotGoneThroughWithoutEnd() throws {
        let wide: PickleBytes = [
            .global("torch.nn.modules.container", "ParameterDict"), .emptyTuple, .newObject, .dictionary,
            .mark, .text("a"), .put(1), .none, Self.repeated(19_999) { _ in [.get(1), .none] }, .setItems,
            .build, .put(0),
        ]
        #expect(try problem(Self.namedOften(wide)) == .dictionaryMembers(limit: 1_000_000))
    }

    /// A key of 100 kB above 10,000 members would be 1 GB of names.
    @Test func aLongKeyIsNotRepeatedForEachMember() throws {
        let long = String(repeating: "k", count: 100_000)
        let members = Self.repeated(10_000) { [.text("\($0)"), .none] }
        let inner: PickleBytes = [.dictionary, .mark, members, .setItems]
        #expect(
            try problem([
                .proto, .dictionary, .mark, .text("t"), Self.tensor, .text(long), inner, .setItems, .stop,
            ])
                == .name(long, reason: "a name of 100000 bytes, where at most 4096 are read"))
    }

    /// 999 tensors in a dictionary that 100 keys of 4 kB name: 400 MB of names.
    @Test func longNamesAreNotMadeWithoutEnd() throws {
        let wide: PickleBytes = [
            .dictionary, .mark, Self.repeated(999) { [.text("\($0)"), Self.tensor] }, .setItems, .put(0),
        ]
        let long = String(repeating: "k", count: 4000)
        let names = Self.repeated(100) { [.text("\(long)\($0)"), .get(0)] }
        let pickle: PickleBytes = [
            .proto, .dictionary, .mark, .text("w"), wide, names, .setItems, .stop,
        ]
        guard case .name(_, let reason)? = try problem(pickle) else {
            Issue.record("the names were made")
            return
        }
        #expect(reason == "the names take more than 16777216 bytes together")
    }

    /// A tensor has sizes and strides of its own: those of one of 64 axes, made again and again, are counted each time.
    @Test func axesAreCounted() throws {
        let axes = [Int](repeating: 1, count: 64)
        let function = PickleBytes.global("torch._utils", "_rebuild_tensor_v2")
        let whole = PickleBytes.tensor(axes, strides: axes, count: 1).bytes
        let arguments = PickleBytes(Array(whole.dropFirst(function.bytes.count).dropLast()))
        func tensors(_ count: Int) -> PickleBytes {
            let again = Self.repeated(count) { _ in [.get(0), .get(1), .reduce] }
            return [.proto, .mark, function, .put(0), arguments, .put(1), again, .tuple, .stop]
        }
        #expect(throws: Never.self) { try values(tensors(10_000)) }
        let error = #expect(throws: TorchError.self) { try values(tensors(20_000)) }
        #expect(error?.description.contains("more than 2000000 values") == true)
    }

    /// What is counted: values, the members of tuples, marks, and places of the memo.
    @Test func theValuesAreLimited() throws {
        for part: PickleBytes in [.mark, .put(0), [.none, .tuple1]] {
            let error = #expect(throws: TorchError.self) {
                try values([.proto, .none, .put(0), Self.repeated(PickleValues.limit) { _ in part }, .stop])
            }
            #expect(error?.description.contains("more than 2000000 values") == true)
        }
        // Kept small: a million of them are tens of MB.
        #expect(MemoryLayout<PickleValues.Value>.stride <= 24)
    }

    @Test func messagesHaveBothNumbers() throws {
        func message(_ pickle: PickleBytes) throws -> String {
            try problem(pickle).map { TorchError(path: "f", problem: $0).description } ?? "nothing"
        }
        #expect(
            try message(.file(.tensor([5], strides: [1], count: 4))).contains(
                "behind the end of its storage of 4 elements, to number 4"))
        #expect(
            try message(.file(.tensor([5], strides: [0], count: 4))).contains(
                "its 5 elements are more than the 4 that its storage has"))
        #expect(
            try message(.file(.tensor([1], strides: [1], count: 1 << 62))).contains(
                "would have \(1 << 62) elements, more than can be addressed"))
        #expect(
            try message(.file(.tensor([1], strides: [1], count: -1))).contains("\"cpu\", -1"))
        #expect(
            try message(.file(.tensor([1], strides: [1], count: 1, kind: "module"))).contains("\"module\""))
        // The file has 4 bytes of it.
        #expect(
            try message(.file(.tensor([2], strides: [1], count: 2))).contains("was probably not downloaded"))
        let changed = try folder.write(
            ZipBytes(members: [
                .init(name: "a/data.pkl", bytes: PickleBytes.file(Self.tensor).bytes),
                .init(name: "a/data/0", bytes: [0, 0, 0, 0, 0]),
            ]).bytes, to: "changed.ckpt")
        let error = #expect(throws: TorchError.self) { try Checkpoint(contentsOf: changed) }
        #expect(
            error?.description.contains(
                "should have 4 bytes, the file has 5 for it; it was changed after it was saved") == true)
    }
}
