import EngineInterface
import Foundation
import Imaging
import OpenVINOEngine
import Testing
import VulkanEngine

@testable import Easel

/// Pictures by Vulkan, on Mesa's software driver, beside OpenVINO's.
@Suite("Pictures on the engine for GPUs", .serialized)
struct VulkanPictureTests {
    private let vulkan: VulkanEngine

    init() throws { vulkan = try VulkanEngine("llvmpipe") }

    @Test("The demo model's picture is OpenVINO's, and nearly so in 16 bits")
    func demoPicture() async throws {
        let request = Request.quick("a red apple on a yellow background", seed: 5, steps: 4)
        let exact = try await openModel(at: demoModel).picture(request).image
        let model = try Model(at: demoModel, engine: vulkan, precision: .float32)
        let same = peakSignalToNoise(try await model.picture(request).image, exact)
        #expect(same >= 45, "\(same) dB")
        #expect(try await model.picture(request).image == model.picture(request).image)
        let halves = try Model(at: demoModel, engine: vulkan)
        #expect(halves.precision == .float16)
        let half = peakSignalToNoise(try await halves.picture(request).image, exact)
        #expect(half >= 35 && half < same, "\(half) dB")
    }

    @Test("Pictures to start from, masks and sides that are no power of two")
    func otherRequests() async throws {
        let (exact, model) = (
            try openModel(at: demoModel), try Model(at: demoModel, engine: vulkan, precision: .float32)
        )
        var request = Request.quick("a blue ball", seed: 7, steps: 4)
        (request.width, request.height) = (72, 88)
        let pixels = (0..<72 * 88 * 3).map { UInt8($0 * 7 % 256) }
        request.initImage = Image(width: 72, height: 88, pixels: pixels)
        request.strength = 0.5
        for isMasked in [false, true] {
            if isMasked {
                let values = (0..<72 * 88).map { UInt8($0 % 72 < 30 ? 0 : 255) }
                request.inpainting = Inpainting(mask: Mask(width: 72, height: 88, values: values))
            }
            let distance = peakSignalToNoise(
                try await model.picture(request).image, try await exact.picture(request).image)
            #expect(distance >= 45, "\(distance) dB")
        }
    }

    @Test("Families of models", arguments: ["sd2", "xl"])
    func families(name: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "easel-vulkan-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let family = try TinyFamily(name)
        let file = folder.appending(path: "tiny.safetensors")
        try family.write(to: file)
        func picture(_ engine: any Engine) async throws -> GeneratedPicture {
            try await Model(at: file, engine: engine, precision: .float32, vocabulary: TinyFamily.vocabulary)
                .picture(family.request())
        }
        let (exact, given) = (try await picture(OpenVINOEngine()), try await picture(vulkan))
        #expect(largestDifference(given.latents.values, exact.latents.values) < 2e-3)
    }

    @Test("The U-Net in parts, whose weights are on the device one after the other")
    func parts() async throws {
        let request = Request.quick("a", seed: 3, steps: 2)
        let whole = try await Model(at: demoModel, engine: vulkan, precision: .float32).picture(request)
        let model = try Model(
            at: demoModel, engine: vulkan, precision: .float32, memory: MemoryUse(.minimal))
        let distance = peakSignalToNoise(try await model.picture(request).image, whole.image)
        #expect(distance >= 45, "\(distance) dB")
    }
}
