import CArithmetic
import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

@Suite struct CheckpointTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ tensors: KeyValuePairs<String, [Float]>, to name: String = "a.safetensors") throws
        -> URL
    {
        try folder.write(safetensors(tensors), to: name)
    }

    private func values(_ name: String, _ weights: MappedWeights, _ catalog: some WeightCatalog) -> [Float]? {
        catalog.entry(named: name).flatMap { weights.floats(of: name, $0) }
    }

    private func checkpointError(_ read: () throws -> some Any) -> CheckpointError? {
        do {
            _ = try read()
            return nil
        } catch {
            return error as? CheckpointError
        }
    }

    /// A file of numbers of 8 bits, 1 and −2, with what ComfyUI writes beside them.
    private func scaled(_ name: String, _ shape: [Int], _ scale: [Float]) throws -> URL {
        let numbers = scale.flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        let header = """
            {"a.weight":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},
            "a.\(name)":{"dtype":"F32","shape":\(shape),"data_offsets":[2,\(2 + numbers.count)]},
            "b.\(name)":{"dtype":"F32","shape":[],"data_offsets":[\(2 + numbers.count),\(6 + numbers.count)]},
            "scaled_fp8":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[\(6 + numbers.count),\(6 + numbers.count)]}}
            """
        return try folder.write(
            safetensors(header, data: [0x38, 0xC0] + numbers + [0, 0, 128, 63]), to: "\(name).safetensors")
    }

    @Test(arguments: ["scale_weight", "weight_scale"]) func scalesOf8BitNumbersAreTaken(_ name: String) throws
    {
        let checkpoint = try Checkpoint(contentsOf: scaled(name, [], [0.375]))
        // What is not beside such numbers stays.
        #expect(checkpoint.names.sorted() == ["a.weight", "b.\(name)"])
        let weights = try checkpoint.map(additionalBytes: 0)
        #expect(values("a.weight", weights, checkpoint) == [0.375, -0.75])
        #expect(throws: SafetensorsError.self) { try Checkpoint(contentsOf: scaled(name, [2], [1, 2])) }
        #expect(throws: SafetensorsError.self) { try Checkpoint(contentsOf: scaled(name, [], [.nan])) }
    }

    /// An index names what says how numbers are to be read too.
    @Test func scalesMayBeInShards() throws {
        let shard = try scaled("scale_weight", [], [0.375]).lastPathComponent
        let names = ["a.weight", "a.scale_weight", "b.scale_weight", "scaled_fp8"]
        let map = names.map { "\"\($0)\":\"\(shard)\"" }.joined(separator: ",")
        let index = try folder.write("{\"weight_map\":{\(map)}}", to: "model.safetensors.index.json")
        let checkpoint = try Checkpoint(contentsOf: index)
        #expect(checkpoint.names.sorted() == ["a.weight", "b.scale_weight"])
        #expect(values("a.weight", try checkpoint.map(additionalBytes: 0), checkpoint) == [0.375, -0.75])
    }

    /// Many at once are what each is alone.
    @Test func halvesAreConvertedTogetherAsAlone() {
        let halves = (0...UInt16.max).map { $0 }
        var floats = [Float](repeating: 0, count: halves.count)
        easel_floats_from_halves(halves, &floats, halves.count)
        #expect(zip(halves, floats).allSatisfy { Float(float16: $0).bitPattern == $1.bitPattern })
        var state: UInt64 = 1
        for _ in 0..<200_001 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: state >> 32)))
        }
        var back = [UInt16](repeating: 0, count: floats.count)
        easel_halves_from_floats(floats, &back, floats.count)
        #expect(zip(floats, back).allSatisfy { UInt16(float16: $0) == $1 })
    }

    @Test(arguments: [(1, 1, 1), (3, 5, 7), (66, 130, 33), (5, 4, 64), (4, 3, 0)])
    func productsAreAdded(_ rows: Int, _ depth: Int, _ width: Int) {
        // Small whole numbers, which every order of sums gives exactly.
        let left = (0..<rows * depth).map { Float($0 % 7 - 3) }
        let right = (0..<depth * width).map { Float($0 % 5 - 2) }
        var result = (0..<rows * width).map { Float($0 % 3) }
        let before = result
        easel_add_product(left, right, &result, rows, depth, width, 0.5)
        for row in 0..<rows {
            for column in 0..<width {
                let sum = (0..<depth).reduce(0) { $0 + left[row * depth + $1] * right[$1 * width + column] }
                #expect(result[row * width + column] == before[row * width + column] + 0.5 * sum)
            }
        }
    }

    @Test func mapsValuesAndAdditionalMemory() throws {
        let checkpoint = try Checkpoint(contentsOf: write(["a": [1, 2], "b": [-3.5]]))
        #expect(checkpoint.names.sorted() == ["a", "b"])
        #expect(checkpoint.entry(named: "a") == WeightEntry(shape: [2], elementType: .float32))
        #expect(checkpoint.entry(named: "c") == nil)
        let weights = try checkpoint.map(additionalBytes: 10_000)
        #expect(values("a", weights, checkpoint) == [1, 2])
        #expect(values("b", weights, checkpoint) == [-3.5])
        #expect(weights.offset(of: "c") == nil)
        #expect(weights.bytes.count >= weights.additionalOffset + 10_000)
        #expect(weights.bytes[weights.additionalOffset...].allSatisfy { $0 == 0 })
        weights.bytes[weights.additionalOffset + 9_999] = 7
        try weights.validate()
    }

    @Test func keepsWritesFromTheFile() throws {
        let url = try write(["a": [1, 2]])
        let before = try Data(contentsOf: url)
        let checkpoint = try Checkpoint(contentsOf: url)
        let weights = try checkpoint.map(additionalBytes: 0)
        let offset = try #require(weights.offset(of: "a"))
        weights.bytes.storeBytes(of: Float(9).bitPattern, toByteOffset: offset + 4, as: UInt32.self)
        #expect(values("a", weights, checkpoint) == [1, 9])
        #expect(try Data(contentsOf: url) == before)
        #expect(values("a", try checkpoint.map(additionalBytes: 0), checkpoint) == [1, 2])
    }

    @Test func mapsAFileWithoutValues() throws {
        let checkpoint = try Checkpoint(contentsOf: folder.write(safetensors("{}"), to: "a.safetensors"))
        let weights = try checkpoint.map(additionalBytes: 0)
        try weights.validate()
        #expect(weights.additionalOffset > 0)
    }

    @Test func refusesMoreMemoryThanThereIs() throws {
        let checkpoint = try Checkpoint(contentsOf: write(["a": [1]]))
        #expect(throws: FileError.self) { try checkpoint.map(additionalBytes: .max) }
        #expect(throws: FileError.self) { try checkpoint.map(additionalBytes: .max - 100_000) }
    }

    @Test func convertsElementTypes() throws {
        func floats(_ type: String, _ bytes: [UInt8], count: Int) throws -> [Float]? {
            // One byte before, so that no value is aligned.
            let header = """
                {"p":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
                "t":{"dtype":"\(type)","shape":[\(count)],"data_offsets":[1,\(1 + bytes.count)]}}
                """
            let url = try folder.write(safetensors(header, data: [0] + bytes), to: "t.safetensors")
            let checkpoint = try Checkpoint(contentsOf: url)
            return values("t", try checkpoint.map(additionalBytes: 0), checkpoint)
        }
        let half: [UInt8] = [0x00, 0x3C, 0x01, 0x00, 0xFF, 0x7B, 0x00, 0x80, 0x00, 0xFC]
        #expect(try floats("F16", half, count: 5) == [1, 0x1p-24, 65504, -0.0, -.infinity])
        #expect(try floats("F16", [0x01, 0x7C], count: 1)?[0].isNaN == true)
        #expect(try floats("BF16", [0x80, 0x3F, 0x49, 0xC0], count: 2) == [1, -3.140625])
        #expect(try floats("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], count: 1) == [1.5])
        #expect(try floats("I64", [0xFE, 255, 255, 255, 255, 255, 255, 255], count: 1) == [-2])
        #expect(try floats("I32", [0xFE, 255, 255, 255], count: 1) == [-2])
        #expect(try floats("I16", [0xFE, 255], count: 1) == [-2])
        #expect(try floats("I8", [0xFE], count: 1) == [-2])
        #expect(try floats("U8", [0xFE], count: 1) == [254])
        #expect(try floats("BOOL", [0, 1], count: 2) == [0, 1])
    }

    @Test func convertsEveryHalf() {
        for bits in UInt16.min...UInt16.max {
            let value = Float(float16: bits)
            let exponent = Int(bits >> 10 & 31)
            let fraction = Float(bits & 1023)
            let magnitude: Float =
                switch exponent {
                case 0: fraction * 0x1p-24
                case 31: fraction == 0 ? .infinity : .nan
                default: (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
                }
            let expected = bits & 0x8000 == 0 ? magnitude : -magnitude
            if expected.isNaN {
                #expect(value.isNaN)
            } else if value.bitPattern != expected.bitPattern {
                Issue.record("\(bits): \(value) is not \(expected)")
            }
        }
    }

    // M20
    @Test func findsTheFirstNonFiniteWeight() throws {
        let finite = [Float](repeating: 3e38, count: 10_000)
        let url = try write(["a": finite, "b": finite + [.nan], "c": [-.infinity]])
        let checkpoint = try Checkpoint(contentsOf: url)
        #expect(try checkpoint.map(additionalBytes: 0).firstNonFinite(in: checkpoint) == "b")
        let clean = try Checkpoint(contentsOf: write(["a": finite, "d": [-.greatestFiniteMagnitude, 0]]))
        #expect(try clean.map(additionalBytes: 0).firstNonFinite(in: clean) == nil)
        for (type, bytes) in [
            ("F16", [0xFF, 0x7B, 0x00, 0x7C]), ("BF16", [0x7F, 0x7F, 0xC0, 0xFF]),
            ("F64", [UInt8](repeating: 0, count: 14) + [0xF0, 0xFF]),
        ] as [(String, [UInt8])] {
            let header = "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[2],\"data_offsets\":[0,\(bytes.count)]}}"
            let url = try folder.write(safetensors(header, data: bytes), to: "t.safetensors")
            let checkpoint = try Checkpoint(contentsOf: url)
            #expect(try checkpoint.map(additionalBytes: 0).firstNonFinite(in: checkpoint) == "t")
        }
    }

    /// Whatever the place of the number among others, and whatever the others are.
    @Test(
        arguments: [
            ("F16", [0xFF, 0xFB], [0x00, 0xFC]), ("BF16", [0x7F, 0x7F], [0x81, 0x7F]),
            ("F32", [0xFF, 0xFF, 0x7F, 0xFF], [0x00, 0x00, 0x80, 0x7F]),
            ("F64", [UInt8](repeating: 0xFF, count: 6) + [0xEF, 0x7F], [1, 0, 0, 0, 0, 0, 0xF0, 0xFF]),
        ] as [(String, [UInt8], [UInt8])])
    func findsANonFiniteNumberAnywhere(type: String, largest: [UInt8], bad: [UInt8]) throws {
        let count = 37
        func firstNonFinite(badAt index: Int?) throws -> String? {
            let data = (0..<count).flatMap { $0 == index ? bad : largest }
            let header =
                "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[\(count)],\"data_offsets\":[0,\(data.count)]}}"
            let url = try folder.write(safetensors(header, data: data), to: "t.safetensors")
            let checkpoint = try Checkpoint(contentsOf: url)
            return try checkpoint.map(additionalBytes: 0).firstNonFinite(in: checkpoint)
        }
        #expect(try firstNonFinite(badAt: nil) == nil)
        for index in 0..<count { #expect(try firstNonFinite(badAt: index) == "t") }
    }

    // M21
    @Test func survivesAFileThatIsCutShort() throws {
        let url = try write(["a": [Float](repeating: 1, count: 100_000), "b": [2]])
        let size = try #require(try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int)
        let checkpoint = try Checkpoint(contentsOf: url)
        let weights = try checkpoint.map(additionalBytes: 100)
        #expect(truncate(url.path, 8192) == 0)
        #expect(values("a", weights, checkpoint)?.last == 0)
        #expect(values("b", weights, checkpoint) == [0])
        let error = #expect(throws: FileError.self) { try weights.validate() }
        #expect(error == .shortened(path: url.path, expected: size, actual: 8192))
        // Other mappings are whole, and faults in them are answered anew.
        let other = try Checkpoint(contentsOf: write(["a": [5]], to: "b.safetensors"))
        let otherWeights = try other.map(additionalBytes: 0)
        #expect(values("a", otherWeights, other) == [5])
        try otherWeights.validate()
    }

    // M22
    @Test func refusesAFileThatChangesWhileLoading() throws {
        let url = try write(["a": [1, 2]])
        let rewritten = try Checkpoint(contentsOf: url)
        let handle = try FileHandle(forWritingTo: url)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([1]))
        try handle.close()
        #expect(throws: FileError.self) { try rewritten.map(additionalBytes: 0) }

        let again = try write(["a": [1, 2]])
        let replaced = try Checkpoint(contentsOf: again)
        let other = try write(["a": [3, 4]], to: "b.safetensors")
        #expect(rename(other.path, again.path) == 0)
        #expect(throws: FileError.self) { try replaced.map(additionalBytes: 0) }

        let third = try write(["a": [1, 2]])
        let deleted = try Checkpoint(contentsOf: third)
        try FileManager.default.removeItem(at: third)
        #expect(throws: FileError.missing(path: third.path)) { try deleted.map(additionalBytes: 0) }
    }

    // Sharded checkpoints

    private func index(_ map: [String: String]) throws -> URL {
        let entries = map.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        return try folder.write(
            "{\"metadata\":{\"total_size\":8},\"weight_map\":{\(entries)}}",
            to: "model.safetensors.index.json")
    }

    @Test func mapsShardsAsOneRange() throws {
        _ = try write(["a": [Float](repeating: 1, count: 3000)], to: "one.safetensors")
        _ = try write(["b": [2, 3]], to: "two.safetensors")
        let checkpoint = try Checkpoint(contentsOf: index(["a": "one.safetensors", "b": "two.safetensors"]))
        #expect(checkpoint.names.sorted() == ["a", "b"])
        let weights = try checkpoint.map(additionalBytes: 5)
        #expect(values("a", weights, checkpoint)?.last == 1)
        #expect(values("b", weights, checkpoint) == [2, 3])
        #expect(try #require(weights.offset(of: "b")) < weights.additionalOffset)
        try weights.validate()
    }

    // C6
    @Test(arguments: ["../x.safetensors", "/tmp/x.safetensors", "..", ".", "", "a/b", "a\\\\b", "a\\u0000b"])
    func refusesShardsOutsideTheFolder(_ name: String) throws {
        let url = try index(["a": name])
        guard case .shardName(_, tensor: "a", _)? = checkpointError({ try Checkpoint(contentsOf: url) })
        else {
            Issue.record("\(name) was opened")
            return
        }
    }

    // C6
    @Test func refusesAnIndexThatDoesNotFitItsShards() throws {
        _ = try write(["a": [1]], to: "one.safetensors")
        _ = try write(["b": [2]], to: "two.safetensors")
        _ = try write(["a": [3]], to: "three.safetensors")
        let swapped = try index(["a": "two.safetensors", "b": "one.safetensors"])
        guard case .tensorNotInShard? = checkpointError({ try Checkpoint(contentsOf: swapped) }) else {
            Issue.record("was opened")
            return
        }
        let unlisted = try index(["b": "two.safetensors", "c": "one.safetensors"])
        #expect(checkpointError { try Checkpoint(contentsOf: unlisted) } != nil)
        let twice = try index(["a": "one.safetensors", "x": "three.safetensors"])
        #expect(
            checkpointError { try Checkpoint(contentsOf: twice) }
                == .tensorInTwoShards(
                    index: twice.path, tensor: "a", first: "one.safetensors", second: "three.safetensors"))
        _ = try write(["a": [1], "z": [1]], to: "four.safetensors")
        let partial = try index(["a": "four.safetensors"])
        #expect(
            checkpointError { try Checkpoint(contentsOf: partial) }
                == .tensorNotInIndex(index: partial.path, tensor: "z", shard: "four.safetensors"))
        let missing = try index(["a": "five.safetensors"])
        #expect(
            checkpointError { try Checkpoint(contentsOf: missing) }
                == .shardMissing(index: missing.path, shard: "five.safetensors", tensors: 1))
    }

    @Test func refusesATensorListedTwice() throws {
        let url = try folder.write(
            "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}}", to: "i.json")
        let error = #expect(throws: JSONError.self) { try Checkpoint(contentsOf: url) }
        #expect(error?.problem == .duplicateKey("a"))
    }

    @Test(arguments: ["{}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}"])
    func refusesWhatIsNotAnIndex(_ text: String) throws {
        let url = try folder.write(text, to: "i.json")
        guard case .notAnIndex? = checkpointError({ try Checkpoint(contentsOf: url) }) else {
            Issue.record("\(text) was read")
            return
        }
    }

    // M46: what servers answer in place of a file.
    @Test(
        arguments: [
            ("\u{FEFF}<!DOCTYPE html><html><body>log in</body></html>", "a web page"),
            ("<!-- made by hand --><html></html>", "a web page"), ("Entry not found", "a text"),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML"),
            ("{\"error\":\"Invalid username or password.\"}", "JSON"),
            (String(repeating: "né ", count: 300), "a text"),
        ])
    func textsAreNamed(_ text: String, _ kind: String) throws {
        let url = try folder.write(text, to: "model.safetensors")
        guard
            case .text(url.path, let found, let start)? = checkpointError({ try Checkpoint(contentsOf: url) })
        else {
            Issue.record("\(text) was read")
            return
        }
        #expect(found.hasPrefix(kind) && text.contains(start) && start.count > 8)
    }

    // Other names

    @Test func renamesByATable() throws {
        let checkpoint = try Checkpoint(contentsOf: write(["attn.query": [1], "attn.key": [2], "norm": [3]]))
        let renamed = try checkpoint.renamed(["attn.query": "attn.to_q", "attn.key": "attn.to_k"])
        #expect(renamed.names.sorted() == ["attn.to_k", "attn.to_q", "norm"])
        #expect(renamed.entry(named: "attn.query") == nil)
        #expect(renamed.entry(named: "attn.to_q") != nil)
        #expect(renamed.origin == checkpoint.origin)
        let weights = try renamed.map(additionalBytes: 0)
        #expect(values("attn.to_k", weights, renamed) == [2])
        #expect(values("norm", weights, renamed) == [3])
        #expect(weights.offset(of: "attn.key") == nil)
        try weights.validate()
    }

    @Test func reportsNamesThatDoNotFit() throws {
        let checkpoint = try Checkpoint(contentsOf: write(["a": [1], "b": [2]]))
        #expect(
            checkpointError { try checkpoint.renamed(["a": "b", "z": "y"]) }
                == .renaming(origin: checkpoint.origin, absent: ["z"], collisions: ["b"]))
        #expect(checkpointError { try checkpoint.renamed { _ in "x" } } != nil)
        let swapped = try checkpoint.renamed(["a": "b", "b": "a"])
        #expect(values("a", try swapped.map(additionalBytes: 0), swapped) == [2])
    }

    @Test func keepsTheMemoryOfARenamedView() throws {
        var weights: MappedWeights?
        do {
            let checkpoint = try Checkpoint(contentsOf: write(["text_model.a": [4]]))
            weights = try checkpoint.renamed { String($0.dropFirst("text_model.".count)) }.map(
                additionalBytes: 0)
        }
        let entry = WeightEntry(shape: [1], elementType: .float32)
        #expect(weights?.floats(of: "a", entry) == [4])
    }
}
