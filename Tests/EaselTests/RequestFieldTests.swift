import Easel
import Sampling
import Testing

@Suite("Each field of a request changes the picture")
struct RequestFieldTests {
    static let changes: [(String, @Sendable (inout Request) -> Void)] = [
        ("prompt", { $0.prompt = "a blue circle" }),
        ("negative prompt", { $0.negativePrompt = "the cat" }),
        ("seed", { $0.seed = 43 }),
        ("guidance scale", { $0.guidanceScale = 3 }),
        ("steps", { $0.steps = 4 }),
        ("sampler", { $0.sampler = "euler" }),
        ("width", { $0.width = 72 }),
        ("height", { $0.height = 72 }),
    ]

    @Test(arguments: TinyModel.allCases)
    func changesThePicture(_ tiny: TinyModel) async throws {
        let model = try tiny.opened()
        let plain = try await model.picture(.quick())
        for (name, change) in Self.changes {
            var request = Request.quick()
            change(&request)
            let changed = try await model.picture(request)
            #expect(changed.image != plain.image, "\(tiny.rawValue): the \(name) changes nothing")
        }
    }

    @Test func guidanceOfOneIgnoresTheNegativePrompt() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick()
        request.guidanceScale = 1
        let one = try await model.picture(request)
        request.negativePrompt = "something else altogether"
        let other = try await model.picture(request)
        #expect(one.latents == other.latents)
        request.prompt = "a blue circle"
        #expect(try await model.picture(request).latents != one.latents)
    }

    @Test(arguments: [("pndm", "PNDMScheduler"), ("dpmpp-2m", "DPM++ 2M"), ("euler", "K_EULER")])
    func samplersHaveOtherNames(_ name: String, _ alias: String) async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick()
        request.sampler = name
        let one = try await model.picture(request)
        request.sampler = alias
        let other = try await model.picture(request)
        #expect(one.image == other.image)
        #expect(other.sampler == name)
    }

    @Test(arguments: [(TinyModel.sd1, "pndm"), (.sd2, "ddim")])
    func theModelsOwnSamplerAndSizeAreTheDefault(_ tiny: TinyModel, _ sampler: String) async throws {
        let model = try tiny.opened()
        let picture = try await model.picture(Request(prompt: "a cat", steps: 2, seed: 1))
        #expect(picture.sampler == sampler)
        #expect((picture.image.width, picture.image.height) == (model.width, model.height))
        #expect((model.width, model.height) == (tiny == .sd1 ? (64, 64) : (96, 64)))
    }

    @Test func aScheduleAndSigmasChangeThePicture() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick()
        request.sampler = "euler"
        let own = try await model.picture(request)
        request.schedule = "Karras"
        let karras = try await model.picture(request)
        #expect(karras.image != own.image)
        #expect(karras.metadata.parameters.contains("Sampler: Euler, Schedule type: Karras, "))
        request.sigmas = [14, 3, 0.5]
        let given = try await model.picture(request)
        #expect(given.image != karras.image)
        request.sigmas = [14, 3, 3]
        await #expect(throws: SamplingError.sigmasNotFalling([14, 3, 3])) { try await model.picture(request) }
        request.sigmas = nil
        request.sampler = "pndm"
        await #expect(throws: SamplingError.noSchedule(sampler: "pndm")) { try await model.picture(request) }
    }

    @Test func spacingAndRescalingChangeThePicture() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 3)
        request.sampler = "euler"
        let own = try await model.picture(request)
        request.timestepSpacing = .trailing
        let trailing = try await model.picture(request)
        request.zeroTerminalSNR = true
        let rescaled = try await model.picture(request)
        #expect(own.image != trailing.image && trailing.image != rescaled.image)
        let again = try await model.picture(Request(GenerationRecord(json: rescaled.record.json)))
        #expect(again.image == rescaled.image)
    }

    @Test func guidanceInAnIntervalIsGuidanceThere() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 4)
        request.sampler = "euler"
        let guided = try await model.picture(request)
        request.guidanceSchedule = [request.guidanceScale, request.guidanceScale + 1e-4]
        let almost = try await model.picture(request)
        #expect(
            largestDifference(guided.latents.values, almost.latents.values) < 1e-2, "passes alone or together"
        )
        request.guidanceSchedule = []
        // Its last step begins at 0.75.
        request.guidanceInterval = 0...0.75
        let everywhere = try await model.picture(request)
        #expect(
            largestDifference(guided.latents.values, everywhere.latents.values) < 1e-4,
            "in all steps, but alone")
        request.guidanceInterval = 0.9...1
        let never = try await model.picture(request)
        request.guidanceInterval = 0...1
        request.guidanceScale = 1
        #expect(try await model.picture(request).image == never.image)
        #expect(never.image != guided.image)
    }

    @Test func anAdaptiveSamplersPicturesAreTheSameInABatch() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick()
        request.sampler = "dpm-adaptive"
        (request.count, request.batchSize) = (2, 2)
        let both = try await model.events(request).pictures
        request.count = 1
        request.seed = both[1].seed
        #expect(try await model.picture(request).image == both[1].image)
    }

    @Test func eventsComeInOrder() async throws {
        // Its own sampler is PNDM, which takes the first step twice.
        let events = try await TinyModel.sd1.opened().events(.quick(steps: 2))
        let told = events.map { event in
            switch event {
            case .stage(let stage): stage.rawValue
            case .warning(let warning): "warning \(warning)"
            case .step(let step): "step \(step.index)/\(step.count)"
            case .finished(let picture): "finished \(picture.index)"
            }
        }
        #expect(
            told == [
                "load_text_encoder", "encode_prompt", "load_unet", "denoise", "step 0/3", "step 1/3",
                "step 2/3", "load_decoder", "decode", "finished 0",
            ])
        #expect(
            Set(events.pictures[0].timings.keys)
                == Set(Stage.allCases).subtracting([.calibrating, .loadingEncoder, .encodingPicture]))
    }
}
