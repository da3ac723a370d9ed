import Foundation
import OpenVINOEngine
import Testing

@testable import Easel

@Suite("Settings that models of few steps are made for")
struct SamplingDefaultsTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func settings(_ name: String, isLoRA: Bool = false) -> String? {
        DistilledName([name], isLoRA: isLoRA).map { name in
            let own = name.settings
            var words = [own.summary]
            if let spacing = own.timestepSpacing { words.append(spacing.rawValue) }
            if let timesteps = own.timesteps { words.append("\(timesteps)") }
            if let eta = own.eta { words.append("eta \(eta)") }
            if let type = own.predictionType { words.append(type.rawValue) }
            return words.joined(separator: ", ")
        }
    }

    /// Names that files and repositories have, and what their cards say.
    @Test(
        arguments: [
            ("sdxl-turbo", "1 step of euler-ancestral at a guidance scale of 1, trailing"),
            ("sd_xl_turbo_1.0_fp16", "1 step of euler-ancestral at a guidance scale of 1, trailing"),
            (
                "DreamShaperXL_sfwV2TurboDPMSDE",
                "1 step of euler-ancestral at a guidance scale of 1, trailing"
            ),
            ("SDXLTurbo", "1 step of euler-ancestral at a guidance scale of 1, trailing"),
            ("sdxl_lightning_2step", "2 steps of euler at a guidance scale of 1, trailing"),
            ("sdxl_lightning_8step_unet", "8 steps of euler at a guidance scale of 1, trailing"),
            ("juggernautXL_v9Lightning", "4 steps of euler at a guidance scale of 1, trailing"),
            ("sdxl_lightning_1step_x0", "1 step of euler at a guidance scale of 1, trailing, sample"),
            ("Hyper-SDXL-1step-Unet-Comfyui.fp16", "1 step of lcm at a guidance scale of 1, [800]"),
            ("hyper_sd15_4steps", "4 steps of ddim at a guidance scale of 1, trailing"),
            ("realisticVisionV60B1_v51HyperVAE", "8 steps of ddim at a guidance scale of 1, trailing"),
            ("LCM_Dreamshaper_v7", "4 steps of lcm at a guidance scale of 1"),
            ("dmd2_sdxl_4step", "4 steps of lcm at a guidance scale of 1, [999, 749, 499, 249]"),
            ("dmd2_sdxl_1step_unet", "1 step of lcm at a guidance scale of 1, [399]"),
            ("a-photo-model", nil), ("hyper_realism_1.2", nil), ("Hyperrealistic v3", nil),
            ("flashback", nil), ("", nil), ("🦊", nil),
        ] as [(String, String?)])
    func modelsNames(_ name: String, _ wanted: String?) { #expect(settings(name) == wanted) }

    @Test(
        arguments: [
            ("lcm-lora-sdv1-5", "4 steps of lcm at a guidance scale of 1"),
            ("Hyper-SDXL-1step-lora", "1 step of tcd at a guidance scale of 1, eta 1.0"),
            ("Hyper-SD15-2steps-lora", "2 steps of ddim at a guidance scale of 1, trailing"),
            ("Hyper-SDXL-8steps-CFG-lora", "8 steps of ddim at a guidance scale of 5, trailing"),
            ("sdxl_lightning_4step_lora", "4 steps of euler at a guidance scale of 1, trailing"),
            ("sd_xl_turbo_lora_v1", "1 step of euler-ancestral at a guidance scale of 1, trailing"),
            ("TCD-SDXL-LoRA", "4 steps of tcd at a guidance scale of 1"),
            ("pcm_sdxl_smallcfg_2step_converted", "2 steps of ddim at a guidance scale of 1, trailing"),
            ("pcm_sd15_normalcfg_8step_converted", "8 steps of ddim at a guidance scale of 4.5, trailing"),
            ("pcm_sd15_lcmlike_lora_converted", "4 steps of lcm at a guidance scale of 1"),
            ("dmd2_sdxl_4step_lora_fp16", "4 steps of lcm at a guidance scale of 1, [999, 749, 499, 249]"),
            ("flash-sdxl", "4 steps of lcm at a guidance scale of 1"),
            // Of cars, weather and looks.
            ("porsche_911_turbo", nil), ("lightning_storm_v2", nil), ("hyper_detailer", nil), ("ink", nil),
        ] as [(String, String?)])
    func namesOfLoRAs(_ name: String, _ wanted: String?) {
        #expect(settings(name, isLoRA: true) == wanted)
    }

    private func model(_ family: String, named name: String) throws -> Model {
        let file = folder.url.appending(path: "\(name).safetensors")
        try TinyFamily(family).write(to: file)
        return try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
    }

    @Test func requestsTakeThem() async throws {
        let named = try model("sd1", named: "sdxl_lightning_2step")
        var request = Request(prompt: "a cat", width: 64, height: 64, seed: 1, for: named)
        #expect(request.steps == 2 && request.guidanceScale == 1 && request.sampler == "euler")
        let events = try await named.events(request)
        #expect(events.warnings.isEmpty)
        let picture = try #require(events.pictures.first)
        // The same, said one by one to a model of another name.
        let plain = try model("sd1", named: "model")
        #expect(plain.defaults == SamplingDefaults())
        var same = Request(
            prompt: "a cat", width: 64, height: 64, steps: 2, guidanceScale: 1, seed: 1, sampler: "euler")
        same.timestepSpacing = .trailing
        #expect(try await plain.picture(same).latents == picture.latents)
        #expect(try await plain.picture(Request(picture.record)).latents == picture.latents)
        // Other programs have a schedule for it.
        for name in ["another_lightning_2step", "Hyper-SD15-2steps"] {
            let model = try self.model("sd1", named: name)
            var request = Request.quick()
            request.imitate(.a1111)
            request.apply(model.defaults)
            #expect(request.schedule == "sgm-uniform" && request.sampler == "euler")
            #expect(try await model.picture(request).record.steps == 2)
        }
        // Others after all are told of.
        (request.steps, request.guidanceScale) = (25, 7.5)
        #expect(
            try await named.events(request).warnings
                == [.distilledModel(word: "lightning", steps: 25, guidanceScale: 7.5)])
    }

    @Test func theModelsOwnSchedulerStays() throws {
        let copy = try ModelCopy(of: .sd1)
        let place = folder.url.appending(path: "models--a--sd-turbo/snapshots/0123")
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: copy.folder, to: place)
        var model = try openModel(at: place)
        #expect(model.name == "sd-turbo")
        #expect(model.defaults.sampler == "euler-ancestral" && model.defaults.timestepSpacing == .trailing)
        let scheduler = place.appending(path: "scheduler/scheduler_config.json")
        for (name, spacing) in [("EulerDiscreteScheduler", "trailing"), ("LCMScheduler", "leading")] {
            let text = """
                {"_class_name": "\(name)", "timestep_spacing": "\(spacing)", "beta_schedule": "scaled_linear"}
                """
            try Data(text.utf8).write(to: scheduler)
            model = try openModel(at: place)
            #expect(model.defaults.sampler == nil && model.defaults.timestepSpacing == nil)
            #expect(model.defaults.steps == 1 && model.defaults.guidanceScale == 1)
        }
    }

    @Test func modelsThatAreToldTheirGuidanceHaveIt() throws {
        let model = try model("sd1-lcm", named: "model")
        let defaults = model.defaults
        #expect(defaults.steps == 4 && defaults.guidanceScale == 8 && defaults.sampler == "lcm")
        // They have no prediction without a prompt, from which several would lead away.
        var request = Request.quick("a cat AND a dog")
        let error = #expect(throws: RequestError.self) { try model.check(request) }
        #expect("\(try #require(error))".contains("AND"))
        request.promptSyntax = .plain
        #expect(throws: Never.self) { try model.check(request) }
    }

    @Test func aLoRAsNameCounts() async throws {
        let model = try model("sd1", named: "model")
        let repository = folder.url.appending(path: "models--a--lcm-lora-sdv1-5/snapshots/0123")
        try FileManager.default.createDirectory(at: repository, withIntermediateDirectories: true)
        let file = repository.appending(path: "pytorch_lora_weights.safetensors")
        try TinyAdapter("kohya").write(to: file)
        try TinyAdapter("kohya").write(to: folder.url.appending(path: "Hyper-SD15-8steps-lora.safetensors"))
        var request = Request.quick()
        request.loras = [LoRA(path: file.path)]
        #expect(model.defaults(for: request).sampler == "lcm")
        request.loras[0].weight = 0
        #expect(model.defaults(for: request) == SamplingDefaults())
        request.loras = []
        request.prompt += "<lora:Hyper-SD15-8steps-lora:0.5>"
        request.loraFolders = [folder.url]
        (request.steps, request.guidanceScale) = (20, 7.5)
        #expect(
            try await model.events(request).warnings
                == [.distilledModel(word: "hyper", steps: 20, guidanceScale: 7.5)])
        request.apply(model.defaults(for: request))
        #expect(request.steps == 8 && request.sampler == "ddim" && request.guidanceScale == 1)
        #expect(try await model.events(request).warnings.isEmpty)
        request.promptSyntax = .plain
        #expect(model.defaults(for: request) == SamplingDefaults())
    }

    @Test func picturesAndSecondPassesAreLeftAStep() async throws {
        let model = try model("sd1", named: "sd-turbo")
        let base = try await model.picture(.quick(steps: 1)).image
        var request = Request.quick(steps: 1)
        request.initImage = base
        for (strength, steps) in [(0.75, 2), (0.5, 2), (0.3, 4), (1, 1), (0, 1)] {
            request.strength = strength
            request.apply(model.defaults)
            #expect(request.steps == steps, "\(strength)")
        }
        request.strength = 0.5
        request.apply(model.defaults)
        let events = try await model.events(request)
        #expect(events.count { if case .step = $0 { true } else { false } } == 1)
        // AUTOMATIC1111 takes one more, and ComfyUI all of them.
        for profile in [Profile.a1111, .comfyui] {
            var request = request
            request.profile = profile
            request.apply(model.defaults)
            #expect(request.steps == 1)
        }
        var large = Request.quick()
        large.highResolution = HighResolution(scale: 1.5)
        large.apply(model.defaults)
        #expect(large.steps == 1 && large.highResolution?.steps == 2)
        // A distillation at timesteps of its own starts from noise alone.
        let single = try self.model("sd1", named: "Hyper-SD15-1step")
        var other = Request.quick()
        other.apply(single.defaults)
        #expect(other.timesteps == [800] && other.stepCount == 1)
        #expect(try await single.events(other).warnings.isEmpty)
        other.initImage = base
        other.apply(single.defaults)
        #expect(other.timesteps == nil && other.steps == 2)
        // ComfyUI plans no more of them, and would leave out the only one.
        other.profile = .comfyui
        other.strength = 0.5
        other.apply(single.defaults)
        #expect(other.timesteps == nil)
    }
}
