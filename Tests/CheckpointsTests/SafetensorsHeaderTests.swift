import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

@Suite struct SafetensorsHeaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ bytes: [UInt8]) throws -> SafetensorsHeader {
        try SafetensorsHeader(contentsOf: folder.write(bytes, to: "a.safetensors"))
    }

    private func problem(_ bytes: [UInt8]) throws -> SafetensorsError.Problem? {
        do {
            _ = try read(bytes)
            return nil
        } catch let error as SafetensorsError {
            #expect(error.description.contains("a.safetensors"))
            return error.problem
        }
    }

    /// The problem of a file with one tensor named `t` and so much data.
    private func problem(
        dtype: String = "\"F32\"", shape: String = "[2]", offsets: String = "[0,8]", dataBytes: Int = 8
    ) throws -> SafetensorsError.Problem? {
        let header = "{\"t\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
        return try problem(safetensors(header, data: [UInt8](repeating: 0, count: dataBytes)))
    }

    @Test func readsTensorsAndMetadata() throws {
        let header = """
            {"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]},
             "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
            """
        let bytes = safetensors(header, data: [UInt8](repeating: 0, count: 16))
        let result = try read(bytes)
        #expect(result.metadata == ["format": "pt"])
        #expect(result.tensors.map(\.name) == ["a", "b"])
        #expect(result.tensors[1].entry == WeightEntry(shape: [2, 3], elementType: .float16))
        #expect(result.tensors[1].offset == 8 + header.utf8.count + 4)
        #expect(result.tensors[1].byteCount == 12)
    }

    @Test(arguments: [
        ("F64", ElementType.float64), ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16),
        ("I64", .int64), ("I32", .int32), ("I16", .int16), ("I8", .int8), ("U8", .uint8), ("BOOL", .boolean),
    ])
    func readsElementTypes(_ name: String, _ type: ElementType) throws {
        let size = type.byteCount(of: 2)
        let header = "{\"t\":{\"dtype\":\"\(name)\",\"shape\":[2],\"data_offsets\":[0,\(size)]}}"
        let result = try read(safetensors(header, data: [UInt8](repeating: 0, count: size)))
        #expect(result.tensors[0].entry.elementType == type)
    }

    @Test func acceptsNoTensors() throws {
        #expect(try read(safetensors("{}")).tensors.isEmpty)
    }

    // M1
    @Test(arguments: 0..<8) func refusesLessThan8Bytes(_ count: Int) throws {
        #expect(try problem([UInt8](repeating: 1, count: count)) == .tooShort(bytes: count))
    }

    // M2
    @Test func refusesAHeaderLongerThanTheFile() throws {
        var bytes = safetensors("{}")
        bytes[0] = 100
        #expect(try problem(bytes) == .headerBeyondFile(bytes: 100, fileBytes: 10))
    }

    // M3
    @Test(arguments: [UInt64.max, 100_000_001, 1 << 63]) func refusesAHugeHeader(_ length: UInt64) throws {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array("{}".utf8)
        #expect(try problem(bytes) == .headerTooLong(bytes: length, limit: 100_000_000))
    }

    // M4
    @Test func refusesAHeaderThatIsNotAnObjectOrText() throws {
        for (header, offset) in [("[]", 0), ("  1", 2), (" ", 1), ("{\"a\"", 4), ("{} x", 3)] {
            guard case .malformedHeader(let error)? = try problem(safetensors(header)) else {
                Issue.record("\(header) was read")
                continue
            }
            #expect(error.offset == offset)
        }
        guard case .otherFormat? = try problem(safetensors("")) else {
            Issue.record("a file of zeros was read")
            return
        }
        guard
            case .malformedHeader(let error)? = try problem(
                safetensors(header: [0x7B, 0x22, 0x61, 0xFF, 0x22]))
        else {
            Issue.record("the header was read")
            return
        }
        #expect(error.problem == .invalidUTF8(byte: 0xFF))
        #expect(error.offset == 3)
    }

    // M5
    @Test func refusesDuplicateKeys() throws {
        let tensor = "{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"
        for (header, key) in [
            ("{\"a\":\(tensor),\"a\":\(tensor)}", "a"),
            ("{\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__"),
            ("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", "k"),
            ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[0,0]}}", "dtype"),
            ("{\"\u{e9}\":\(tensor),\"e\u{301}\":\(tensor)}", "e\u{301}"),
        ] {
            guard case .malformedHeader(let error)? = try problem(safetensors(header)) else {
                Issue.record("\(header) was read")
                continue
            }
            #expect(error.problem == .duplicateKey(key))
        }
    }

    /// The problem of a file with two tensors of 4 bytes each at these places.
    private func problem(_ first: (Int, Int), _ second: (Int, Int), dataBytes: Int) throws
        -> SafetensorsError.Problem?
    {
        let header = """
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[\(first.0),\(first.1)]},\
            "b":{"dtype":"U8","shape":[4],"data_offsets":[\(second.0),\(second.1)]}}
            """
        return try problem(safetensors(header, data: [UInt8](repeating: 0, count: dataBytes)))
    }

    // M6
    @Test func refusesOverlap() throws {
        #expect(
            try problem((0, 4), (2, 6), dataBytes: 6)
                == .overlap(tensor: "b", begin: 2, other: "a", otherEnd: 4))
        #expect(
            try problem((0, 4), (0, 4), dataBytes: 4) != nil)
    }

    // M7
    @Test func refusesGaps() throws {
        #expect(try problem((0, 4), (6, 10), dataBytes: 10) == .gap(tensor: "b", begin: 6, previousEnd: 4))
        #expect(try problem((2, 6), (6, 10), dataBytes: 10) == .gap(tensor: "a", begin: 2, previousEnd: 0))
    }

    // M8
    @Test func refusesReversedOffsets() throws {
        #expect(try problem(offsets: "[8,0]") == .reversedOffsets(tensor: "t", begin: 8, end: 0))
    }

    // M9
    @Test func refusesOffsetsBehindTheEnd() throws {
        #expect(try problem(dataBytes: 7) == .beyondEnd(tensor: "t", end: 8, dataBytes: 7))
        #expect(
            try problem(offsets: "[0,9007199254740992]")
                == .beyondEnd(tensor: "t", end: 1 << 53, dataBytes: 8))
    }

    // M10
    @Test func refusesTrailingBytes() throws {
        #expect(try problem(dataBytes: 11) == .trailing(bytes: 3))
        #expect(try problem(safetensors("{}", data: [1, 2])) == .trailing(bytes: 2))
    }

    // M11
    @Test(arguments: [
        "[2,18446744073709551614]", "[2,9223372036854775807]", "[4294967296,4294967296]",
        "[9007199254740992,2048]", "[1152921504606846976,8]",
    ])
    func refusesShapesThatOverflow(_ shape: String) throws {
        switch try problem(shape: shape) {
        case .shapeTooLarge?, .wrongField(tensor: "t", field: "shape", _, _)?: break
        case let other: Issue.record("\(shape): \(String(describing: other))")
        }
    }

    @Test func refusesShapesOfAnotherSizeThanTheOffsets() throws {
        #expect(
            try problem(shape: "[3]")
                == .wrongSize(tensor: "t", shape: [3], type: "F32", shapeBytes: 12, offsetBytes: 8))
    }

    // M12
    @Test(arguments: [
        "-1", "-0", "-0.0", "2.0", "2.5", "1e3", "2e0", "9007199254740993", "18446744073709551616", "\"2\"",
        "true",
        "null", "[2]",
    ])
    func refusesWhatIsNotAWholeNumber(_ number: String) throws {
        for problem in [
            try problem(shape: "[\(number)]"), try problem(offsets: "[0,\(number)]"),
            try problem(offsets: "[\(number),8]"),
        ] {
            guard case .wrongField? = problem else {
                Issue.record("\(number): \(String(describing: problem))")
                continue
            }
        }
    }

    @Test(arguments: ["[]", "[0]", "[0,4,8]", "8", "null", "{}"])
    func refusesOffsetsThatAreNotTwo(_ offsets: String) throws {
        guard case .wrongField(tensor: "t", field: "data_offsets", _, _)? = try problem(offsets: offsets)
        else {
            Issue.record("\(offsets) was read")
            return
        }
    }

    @Test func refusesMissingFields() throws {
        for field in ["dtype", "shape", "data_offsets"] {
            let fields = ["dtype": "\"F32\"", "shape": "[0]", "data_offsets": "[0,0]"].filter {
                $0.key != field
            }
            let entry = fields.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
            guard
                case .wrongField(tensor: "t", field: field, _, actual: nil)? = try problem(
                    safetensors("{\"t\":{\(entry)}}"))
            else {
                Issue.record("was read without \(field)")
                continue
            }
        }
        #expect(
            try problem(safetensors("{\"t\":[]}"))
                == .wrongField(tensor: "t", field: "the entry", expected: "an object", actual: "a list of 0"))
    }

    @Test func refusesTooManyAxes() throws {
        let shape = "[" + [String](repeating: "1", count: 65).joined(separator: ",") + "]"
        guard case .wrongField(tensor: "t", field: "shape", _, _)? = try problem(shape: shape) else {
            Issue.record("was read")
            return
        }
    }

    // M13
    @Test func refusesUnknownTypes() throws {
        #expect(try problem(dtype: "\"F128\"") == .unknownType(tensor: "t", type: "F128"))
        #expect(try problem(dtype: "\"f32\"") == .unknownType(tensor: "t", type: "f32"))
        #expect(
            try problem(dtype: "3")
                == .wrongField(tensor: "t", field: "dtype", expected: "a text", actual: "3"))
    }

    @Test(arguments: ["F8_E8M0", "U16", "U32", "U64", "C64", "F4"])
    func namesTypesThatAreNotSupported(_ type: String) throws {
        #expect(try problem(dtype: "\"\(type)\"") == .unsupportedType(tensor: "t", type: type))
    }

    // M14
    @Test func refusesElementsThatDoNotFillBytes() throws {
        #expect(
            try problem(dtype: "\"F4\"", shape: "[3]", offsets: "[0,2]", dataBytes: 2)
                == .partialByte(tensor: "t", type: "F4", shape: [3]))
        #expect(
            try problem(dtype: "\"F6_E2M3\"", shape: "[2]", offsets: "[0,2]", dataBytes: 2)
                == .partialByte(tensor: "t", type: "F6_E2M3", shape: [2]))
    }

    // M15
    @Test(arguments: ["1", "null", "[\"a\"]", "{\"a\":\"b\"}", "true"])
    func refusesMetadataThatIsNotText(_ value: String) throws {
        guard
            case .wrongField(tensor: "__metadata__", field: "\"k\"", _, _)? = try problem(
                safetensors("{\"__metadata__\":{\"k\":\(value)}}"))
        else {
            Issue.record("\(value) was read")
            return
        }
    }

    // M16
    @Test(arguments: ["\\u0000", "\\u001b[2J", "\\n", "\\u007f", "\\u0085"])
    func refusesControlCharactersInNames(_ character: String) throws {
        let header = "{\"a\(character)b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"
        let url = try folder.write(safetensors(header), to: "a.safetensors")
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsHeader(contentsOf: url) }
        guard case .controlCharacter? = error?.problem else {
            Issue.record("\(String(describing: error))")
            return
        }
        let description = error?.description ?? ""
        #expect(!description.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    // M17
    @Test func refusesAMillionEntries() throws {
        var header = Array("{".utf8)
        header.reserveCapacity(70_000_000)
        for index in 0..<1_000_000 {
            header += "\"t\(index)\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},".utf8
        }
        header[header.count - 1] = UInt8(ascii: "}")
        let url = try folder.write(safetensors(header: header), to: "a.safetensors")
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsHeader(contentsOf: url) }
        #expect(error?.problem == .tooManyEntries(limit: 100_000))
    }

    @Test func acceptsAsManyEntriesAsThereMayBe() throws {
        var header = "{\"__metadata__\":{\"one\":\"{\\\":[\",\"two\":\"\",\"three\":\"\",\"four\":\":\"},"
        for index in 0..<99_996 {
            header += "\"t\(index)\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
        }
        let most = try folder.write(safetensors(header.dropLast() + "}"), to: "a.safetensors")
        #expect(try SafetensorsHeader(contentsOf: most).tensors.count == 99_996)
        let more = try folder.write(
            safetensors(header + "\"u\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
            to: "b.safetensors")
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsHeader(contentsOf: more) }
        #expect(error?.problem == .tooManyEntries(limit: 100_000))
    }

    @Test func fieldsThatAreNotUsedAreNotKept() throws {
        let result = try read(
            safetensors(
                "{\"a\":{\"more\":[1,[2],{\"b\":{\"c\":null}}],\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                data: [0, 0, 0, 0]))
        #expect(result.tensors.map(\.name) == ["a"])
        #expect(throws: SafetensorsError.self) {
            try read(
                safetensors(
                    "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"))
        }
    }

    // M18
    @Test func acceptsEmptyAndScalarTensors() throws {
        let header = """
            {"empty":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]},\
            "scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},\
            "last":{"dtype":"F16","shape":[0],"data_offsets":[4,4]}}
            """
        let result = try read(safetensors(header, data: [0, 0, 0, 0]))
        #expect(result.tensors.map(\.name) == ["empty", "scalar", "last"])
        #expect(result.tensors.map(\.entry.shape) == [[2, 0], [], [0]])
        #expect(result.tensors.map(\.byteCount) == [0, 4, 0])
    }

    // M19
    @Test func acceptsWhiteSpaceAround() throws {
        #expect(try read(safetensors(" \n\t{} ")).tensors.isEmpty)
    }

    @Test func refusesAByteOrderMark() throws {
        guard case .malformedHeader? = try problem(safetensors("\u{FEFF}{}")) else {
            Issue.record("was read")
            return
        }
    }

    // M44
    @Test(
        arguments: [
            ([0x50, 0x4B, 0x03, 0x04, 0, 0, 8, 8, 0, 0], "zip"),
            ([0x80, 0x02, 0x7D, 0x71, 0x00, 0x28, 0x58, 0x05], "pickle"),
            ([0x50, 0x4B, 0x07, 0x08, 0x50, 0x4B, 0x03, 0x04], "several parts"),
            ([0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3], "gzip"),
            ([0xFF, 0xFE, 0x3C, 0, 0x21, 0, 0x44, 0], "UTF-16"), ([0, 0, 0, 0, 0, 0, 0, 0], "zeros"),
        ] as [([UInt8], String)])
    func namesOtherFormats(_ start: [UInt8], _ name: String) throws {
        guard case .otherFormat(let format, _)? = try problem(start + [UInt8](repeating: 0, count: 700))
        else {
            Issue.record("\(name) was not recognized")
            return
        }
        #expect(format.contains(name))
    }

    @Test func readsAHeaderWhoseLengthBeginsLikeAPickle() throws {
        let header = "{}" + String(repeating: " ", count: 0x280 - 2)
        #expect(try read(safetensors(header)).tensors.isEmpty)
    }

    // M45
    @Test func recognizesGitLFSPointers() throws {
        let pointer = """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 3438167540

            """
        guard case .otherFormat(let format, let remedy)? = try problem(Array(pointer.utf8)) else {
            Issue.record("was not recognized")
            return
        }
        #expect(format == "it is a Git LFS pointer to a file of 3438167540 bytes")
        #expect(remedy.contains("git lfs pull"))
        let negative = pointer.replacing("size 3", with: "size -3")
        guard case .otherFormat("it is a Git LFS pointer to a file", _)? = try problem(Array(negative.utf8))
        else {
            Issue.record("a size below 0 was told")
            return
        }
    }

    // M47
    @Test(arguments: ["lmgg", "fmgg", "tjgg"]) func recognizesWhatCameBeforeGGUF(_ magic: String) throws {
        guard
            case .otherFormat("it is a file of ggml's from before GGUF", _)? = try problem(
                Array(magic.utf8) + [1, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0])
        else {
            Issue.record("was not recognized")
            return
        }
    }

    // M23
    @Test(.timeLimit(.minutes(10))) func refusesPipesDevicesAndFolders() throws {
        let pipe = folder.url.appending(path: "pipe.safetensors").path
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: FileError.notRegular(path: pipe, kind: .pipe)) {
            try SafetensorsHeader(contentsOf: URL(fileURLWithPath: pipe))
        }
        #expect(throws: FileError.notRegular(path: "/dev/zero", kind: .device)) {
            try SafetensorsHeader(contentsOf: URL(fileURLWithPath: "/dev/zero"))
        }
        #expect(throws: FileError.notRegular(path: folder.url.path, kind: .folder)) {
            try SafetensorsHeader(contentsOf: folder.url)
        }
    }
}
