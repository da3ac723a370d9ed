import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

@Suite struct QuantizedWeightsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A matrix of two rows, a bias, and a matrix that stays.
    private func weights(first: Float = 1) throws -> Checkpoint {
        let header =
            #"{"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
            + #""a.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},"#
            + #""b.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[32,40]}}"#
        let values: [Float] = [first, -2, 0.5, 0, 0, 0, 5, 6, 7, 8]
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        bytes += Array(header.utf8)
        for value in values { bytes += withUnsafeBytes(of: value) { Array($0) } }
        return try Checkpoint(contentsOf: folder.write(bytes, to: "a.safetensors"))
    }

    @Test func rowsHaveScalesOfTheirOwn() throws {
        let base = try weights()
        let ranges = ActivationRanges(["a": .init(lowest: -1, highest: 3)])
        let quantized = QuantizedWeights(base, layers: ["a", "no.such"], ranges: ranges)
        #expect(
            Set(quantized.names) == [
                "a.weight", "a.bias", "b.weight", "a.weight_scale", "a.input_range",
            ])
        #expect(quantized.entry(named: "a.weight") == WeightEntry(shape: [2, 3], elementType: .int8))
        #expect(
            quantized.entry(named: "a.weight_scale") == WeightEntry(shape: [2, 1], elementType: .float32))
        #expect(quantized.entry(named: "a.input_range") == WeightEntry(shape: [2], elementType: .float32))
        #expect(quantized.entry(named: "b.weight") == base.entry(named: "b.weight"))
        let mapped = try quantized.map(additionalBytes: 100)
        func values(_ name: String) -> [Float]? {
            quantized.entry(named: name).flatMap { mapped.floats(of: name, $0) }
        }
        // Half a level is rounded to the even one; a row of zeros stays one.
        #expect(values("a.weight") == [64, -127, 32, 0, 0, 0])
        let scales: [Float] = [2 / 127, 1]
        #expect(values("a.weight_scale") == scales)
        #expect(values("a.bias") == [5, 6] && values("b.weight") == [7, 8])
        let levels = try #require(values("a.input_range"))
        let step: Float = 4 / 255
        let expected: [Float] = [-64 * step, 191 * step]
        #expect(levels == expected)
        #expect(mapped.bytes.count >= mapped.additionalOffset + 100)
        let additional = mapped.bytes[mapped.additionalOffset...].prefix(100)
        #expect(additional.allSatisfy { $0 == 0 })
    }

    @Test func groupsHaveScalesOfTheirOwn() throws {
        let quantized = QuantizedWeights(try weights(), matrices: ["a", "b", "no.such"], groupSize: 2)
        // Rows of three numbers are no groups of two.
        #expect(Set(quantized.names) == ["a.weight", "a.bias", "b.weight", "b.weight_scale"])
        #expect(quantized.entry(named: "a.weight")?.shape == [2, 3])
        #expect(
            quantized.entry(named: "b.weight") == WeightEntry(shape: [1, 1, 2], elementType: .int8))
        #expect(
            quantized.entry(named: "b.weight_scale") == WeightEntry(shape: [1, 1, 1], elementType: .float32))
        let threes = QuantizedWeights(try weights(), matrices: ["a"], groupSize: 1)
        let mapped = try threes.map(additionalBytes: 0)
        func values(_ name: String) -> [Float]? {
            threes.entry(named: name).flatMap { mapped.floats(of: name, $0) }
        }
        #expect(values("a.weight") == [127, -127, 127, 0, 0, 0])
        let scales: [Float] = [1 / 127, 2 / 127, 0.5 / 127, 1, 1, 1]
        #expect(values("a.weight_scale") == scales && values("a.bias") == [5, 6])
        #expect(!threes.isQuantized)
    }

    /// As ggml's Q4_0: the number of the greatest magnitude is −8 times the scale; halves go up.
    @Test func fourBitsAreTwoAByte() throws {
        let header =
            #"{"a.weight":{"dtype":"F32","shape":[3,5],"data_offsets":[0,60]},"#
            + #""b.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[60,76]}}"#
        let tiny = Float.leastNormalMagnitude / 8
        let numbers: [Float] = [
            -8, 7, 7.4, 7.5, 0.5, 4, 2, -4, 0.25, -0.25, 0, 0, 0, 0, 0, tiny, 0, -tiny, 0,
        ]
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        bytes += Array(header.utf8)
        for number in numbers { bytes += withUnsafeBytes(of: number) { Array($0) } }
        let base = try Checkpoint(contentsOf: folder.write(bytes, to: "a.safetensors"))
        let quantized = QuantizedWeights(base, matrices: ["a", "b"], groupSize: 5, bitCount: 4)
        let entry = try #require(quantized.entry(named: "a.weight"))
        #expect(entry == WeightEntry(shape: [3, 1, 5], elementType: .int4))
        // Rows of four numbers are no groups of five.
        #expect(quantized.entry(named: "b.weight") == base.entry(named: "b.weight"))
        let mapped = try quantized.map(additionalBytes: 0)
        #expect(mapped.floats(of: "a.weight", entry) == [-8, 7, 7, 7, 1, -8, -4, 7, 0, 1, 0, 0, 0, 0, 0])
        #expect(
            mapped.bytes(of: "a.weight", entry).map(Array.init) == [0x78, 0x77, 0x81, 0x7C, 0x10, 0, 0, 0])
        let scales = try #require(quantized.entry(named: "a.weight_scale"))
        #expect(mapped.floats(of: "a.weight_scale", scales) == [1, -0.5, 1])
        // From the middle of a byte on, and no further than there are numbers.
        var some = [Float](repeating: .nan, count: 4)
        let read = some.withUnsafeMutableBufferPointer {
            mapped.readFloats(of: "a.weight", entry, from: 13, into: $0)
        }
        #expect(read == 2 && some[..<2] == [0, 0] && some[2].isNaN)
        let denormal = QuantizedWeights(base, matrices: ["b"], groupSize: 4, bitCount: 4)
        let own = try #require(denormal.entry(named: "b.weight"))
        #expect(try denormal.map(additionalBytes: 0).floats(of: "b.weight", own) == [0, 0, 0, 0])
    }

    @Test(arguments: [Float.nan, -.infinity]) func groupsWithNumbersThatAreNoneAreSeen(_ number: Float) throws
    {
        let quantized = QuantizedWeights(
            try weights(first: number), matrices: ["a"], groupSize: 3, bitCount: 4)
        #expect(try quantized.map(additionalBytes: 0).firstNonFinite(in: quantized) == "a.weight_scale")
    }

    /// A part of a weight begins with a byte.
    @Test func partsOfFourBitsAreWholeBytes() throws {
        let quantized = QuantizedWeights(try weights(), matrices: ["a"], groupSize: 3, bitCount: 4)
        let second = WeightView.Source("a.weight", part: .init(1, of: 2))
        #expect(WeightView(quantized, sources: ["c": second]).entry(named: "c") == nil)
        let even = QuantizedWeights(try weights(), matrices: ["b"], groupSize: 1, bitCount: 4)
        let whole = WeightView(even, sources: ["c": .init("b.weight", part: .init(0, of: 1))])
        let entry = try #require(whole.entry(named: "c"))
        #expect(entry == WeightEntry(shape: [1, 2, 1], elementType: .int4))
        #expect(try whole.map(additionalBytes: 0).floats(of: "c", entry) == [-8, -8])
    }

    @Test func activationsCanStayAsTheyAre() throws {
        let quantized = QuantizedWeights(try weights(), layers: ["a", "b"], ranges: ActivationRanges())
        #expect(quantized.names.contains("b.weight_scale") && !quantized.names.contains("b.input_range"))
        #expect(quantized.entry(named: "b.input_range") == nil)
    }

    @Test(arguments: [Float.nan, -.infinity]) func numbersThatAreNoneAreSeen(_ number: Float) throws {
        let quantized = QuantizedWeights(
            try weights(first: number), layers: ["a"], ranges: ActivationRanges())
        let mapped = try quantized.map(additionalBytes: 0)
        #expect(mapped.firstNonFinite(in: quantized) == "a.weight_scale")
        let entry = try #require(quantized.entry(named: "a.weight"))
        #expect(mapped.floats(of: "a.weight", entry) == [Float](repeating: 0, count: 6))
    }

    @Test(arguments: [(-1, 3), (0.5, 2), (-4, -1), (0, 0), (-1e-30, 0)] as [(Float, Float)])
    func zeroIsALevel(_ lowest: Float, _ highest: Float) throws {
        let (low, high) = ActivationRanges.Range(lowest: lowest, highest: highest).levels
        let step = (high - low) / 255
        #expect(low <= 0 && high >= 0 && step > 0)
        let zero = -low / step
        #expect((zero - zero.rounded()).magnitude < 1e-3)
        #expect(low <= min(lowest, 0) + step)
        #expect(high >= max(highest, 0) - step)
    }

    @Test func rangesGrow() {
        var ranges = ActivationRanges()
        ranges.add(.init(lowest: -1, highest: 2), of: "a")
        ranges.add(.init(lowest: 0, highest: 3), of: "a")
        #expect(ranges["a"] == .init(lowest: -1, highest: 3) && ranges["b"] == nil)
    }
}
