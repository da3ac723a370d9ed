import Checkpoints
import Easel
import Foundation
import Imaging
import OpenVINOEngine
import Testing

/// A tiny model in one file, in CompVis' layout, whose weights follow from the tensors' names: `Tests/Golden/families.py`.
struct TinyFamily {
    let name: String
    let requests: [GoldenFamilyRequest]
    /// Each tensor's shape.
    let tensors: [String: [Int]]
    let golden: Checkpoint

    private struct Document: Decodable {
        let requests: [GoldenFamilyRequest]
        let tensors: [String: [Int]]
    }

    static let vocabulary = TinyModel.sd1.folder.appending(path: "tokenizer")

    init(_ name: String) throws {
        let folder = TinyModel.golden.appending(path: "families")
        let document = try JSONDecoder().decode(
            Document.self, from: Data(contentsOf: folder.appending(path: "\(name).json")))
        self.name = name
        requests = document.requests
        tensors = document.tensors
        golden = try Checkpoint(contentsOf: folder.appending(path: "\(name).safetensors"))
    }

    /// One of the requests, with the picture that the family starts from.
    func request(_ index: Int = 0) -> Request {
        var request = requests[index].request
        let (width, height) = (requests[index].width, requests[index].height)
        if name.hasSuffix("inpainting") {
            let black = Image(
                width: width, height: height, pixels: Array(repeating: 0, count: 3 * width * height))
            let mask = Mask(
                width: width, height: height,
                values: (0..<width * height).map { $0 % width < width / 2 ? 0 : 255 })
            request.initImage = black
            request.inpainting = Inpainting(mask: mask, composite: false)
            request.strength = 1
        }
        // diffusers' pipeline for editing does not know this.
        if name.hasSuffix("editing") { request.clipSkip = 1 }
        if name.hasSuffix("editing") || name.hasSuffix("refiner") || name.hasSuffix("depth") {
            let pixels = (0..<width * height).flatMap { pixel -> [UInt8] in
                [UInt8(pixel % width * 3 % 256), UInt8(pixel / width * 2 % 256), 100]
            }
            request.initImage = Image(width: width, height: height, pixels: pixels)
            request.strength = 0.5
            if name.hasSuffix("depth") { request.depthMap = request.initImage }
        }
        return request
    }

    /// Writes the file, without the tensors that are left out, and with others or of other shapes.
    func write(
        to url: URL, adding: [String: [Int]] = [:], leavingOut: (String) -> Bool = { _ in false }
    ) throws {
        let tensors = tensors.merging(adding) { $1 }.filter { !leavingOut($0.key) }
        try TinyFile(tensors: tensors, constants: [:]).write(to: url)
    }
}

/// A file of float32 tensors whose values follow from their names.
struct TinyFile {
    var tensors: [String: [Int]]
    /// Tensors without axes, of these values.
    var constants: [String: Float]
    /// The values of tensors whose own do not follow from their names.
    var given: [String: [Float]] = [:]

    /// - Parameters:
    ///   - metadata: The header's notes, as JSON.
    ///   - newName: What a tensor is called in the file; its values are those of its own name.
    func write(to url: URL, metadata: String? = nil, naming newName: (String) -> String = { $0 }) throws {
        var header = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
        var data: [UInt8] = []
        func add(_ name: String, _ shape: [Int], _ values: [Float]) {
            let begin = data.count
            values.withUnsafeBytes { data += $0 }
            header.append(
                "\"\(newName(name))\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(data.count)]}"
            )
        }
        for (name, shape) in tensors.sorted(by: { $0.key < $1.key }) {
            add(name, shape, given[name] ?? Self.values(of: name, shape: shape))
        }
        for (name, value) in constants.sorted(by: { $0.key < $1.key }) { add(name, [], [value]) }
        let text = Array(("{" + header.joined(separator: ",") + "}").utf8)
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
        try Data(length + text + data).write(to: url)
    }

    /// Writes the tensors as ggml's programs do, those whose rows have blocks of 32 as Q8_0.
    ///
    /// - Parameter newName: What a tensor is called in the file.
    func writeGGUF(
        to url: URL, quantizes: Bool = true, naming newName: (String) -> String = { $0 }
    ) throws {
        func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        var header =
            Array("GGUF".utf8) + little(UInt32(3)) + little(UInt64(tensors.count)) + little(UInt64(0))
        var data: [UInt8] = []
        for (name, shape) in tensors.sorted(by: { $0.key < $1.key }) {
            let values = Self.values(of: name, shape: shape)
            let isQuantized = quantizes && shape.count == 2 && shape[1].isMultiple(of: 32)
            let name = newName(name)
            data += Array(repeating: 0, count: (32 - data.count % 32) % 32)
            header += little(UInt64(name.utf8.count)) + name.utf8 + little(UInt32(shape.count))
            header += shape.reversed().flatMap { little(UInt64($0)) }
            header += little(UInt32(isQuantized ? 8 : 0)) + little(UInt64(data.count))
            guard isQuantized else {
                values.withUnsafeBytes { data += $0 }
                continue
            }
            for start in stride(from: 0, to: values.count, by: 32) {
                let block = values[start..<start + 32]
                // A power of two, which half precision has exactly.
                let exponent = (block.map(abs).max() ?? 0).exponent - 6
                let scale = Float(sign: .plus, exponent: exponent, significand: 1)
                data += little(UInt16((exponent + 15) << 10))
                data += block.map { UInt8(bitPattern: Int8(min(max(($0 / scale).rounded(), -127), 127))) }
            }
        }
        header += Array(repeating: 0, count: (32 - header.count % 32) % 32)
        try Data(header + data).write(to: url)
    }

    /// Uniform numbers from SplitMix64, begun at the name's hash.
    static func values(of name: String, shape: [Int]) -> [Float] {
        let count = shape.reduce(1, *)
        var scale = 12.0.squareRoot() / 10
        var center = name.hasSuffix("weight") ? 1.0 : 0
        if shape.count > 1 {
            center = 0
            scale = (12 / Double(count / shape[0])).squareRoot()
            if name.contains("embedding") { scale = 12.0.squareRoot() / 2 }
            if name.hasPrefix("model.diffusion_model.out.2.") { scale *= 0.2 }
        }
        let seed = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        // Built for debugging, `map` took a sixth of the tests that write such files.
        var values = [Float](repeating: 0, count: count)
        for index in 0..<count {
            var state = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
            state = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            state = (state ^ state >> 27) &* 0x94D0_49BB_1331_11EB
            state ^= state >> 31
            values[index] = Float((Double(state >> 40) / 0x1p24 - 0.5) * scale + center)
        }
        return values
    }
}

struct GoldenFamilyRequest: Decodable {
    let prompt: String
    let negativePrompt: String
    let width: Int
    let height: Int
    let steps: Int
    let guidanceScale: Float
    let seed: UInt64
    let clipSkip: Int

    var request: Request {
        var request = Request(
            prompt: prompt, negativePrompt: negativePrompt, width: width, height: height, steps: steps,
            guidanceScale: guidanceScale, seed: seed)
        request.clipSkip = clipSkip
        return request
    }
}

/// A folder that is deleted with its last reference.
final class ScratchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "easel-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
