import Checkpoints
import Foundation
import Imaging
import Testing

/// What AUTOMATIC1111's clients are told, beyond what `make test-clients` asks.
@Suite struct A1111Tests {
    /// A folder of models, with a LoRA, an embedding, and the demo model in one file.
    private static func models(named name: String = "one") throws -> URL {
        let golden = RunningServer.demoModel.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Tests/Golden")
        let folder = RunningServer.newFolder()
        for kind in ["Lora", "embeddings", "Stable-diffusion"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: kind), withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            at: golden.appending(path: "inversions/sketch.pt"),
            to: folder.appending(path: "embeddings/sketch.pt"))
        let notes =
            #"{"__metadata__":{"ss_output_name":"soft","ss_tag_frequency":"{\"a\":1}","ssmd_cover_images":"x"}}"#
        let length = withUnsafeBytes(of: UInt64(notes.utf8.count).littleEndian) { Data($0) }
        try (length + Data(notes.utf8)).write(to: folder.appending(path: "Lora/file.safetensors"))
        let tool = Process()
        tool.executableURL = RunningServer.executable
        tool.arguments = [
            "convert", RunningServer.demoModel.path,
            folder.appending(path: "Stable-diffusion/\(name).safetensors").path,
        ]
        tool.standardOutput = FileHandle.nullDevice
        try tool.run()
        tool.waitUntilExit()
        return folder
    }

    /// Lightning's own are four steps of Euler over the schedule "sgm-uniform".
    @Test("What is asked for of a model of few steps counts before what it is made for")
    func settingsOfFewSteps() async throws {
        let models = try Self.models(named: "lightning_4step")
        defer { try? FileManager.default.removeItem(at: models) }
        let server = try await RunningServer([
            "--models-dir", models.path, "--vocabulary",
            RunningServer.demoModel.appending(path: "tokenizer").path,
        ])
        let list = try await server.get("/sdapi/v1/sd-models")
        let name = try #require(try list.text("1", "model_name"))
        #expect(name.contains("lightning"))
        for (asked, sampler, schedule) in [
            ("", "euler", "sgm-uniform"), (#", "schedule": "karras""#, "euler", "karras"),
            (#", "sampler": "ddim""#, "ddim", nil),
        ] {
            let job = #"{"prompt": "a", "model": "\#(name)", "profile": "a1111", "width": 64, "height": 64"#
            let ended = try await server.ended(try await server.job(job + asked + "}"))
            #expect(try ended.text("state") == "done", "\(asked): \(ended.text)")
            let file = try #require(try ended.text("pictures", "0", "file"))
            let upload = try await server.ask(
                .POST, "/api/v1/uploads", bytes: try await server.get(file).body,
                headers: [("content-type", "image/png")])
            #expect(try upload.text("settings", "sampler") == sampler, "\(upload.text)")
            #expect(try upload.text("settings", "schedule") == schedule, "\(upload.text)")
        }
    }

    @Test("A model's hash is told once it was open; what LoRAs and embeddings say of themselves always")
    func hashes() async throws {
        let models = try Self.models()
        defer { try? FileManager.default.removeItem(at: models) }
        let cache = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: cache) }
        let options = [
            "--models-dir", models.path, "--vocabulary",
            RunningServer.demoModel.appending(path: "tokenizer").path,
        ]
        var server = try await RunningServer(options, environment: ["XDG_CACHE_HOME": cache.path])
        let list = try await server.get("/sdapi/v1/sd-models")
        #expect(try list.text("0", "title") == "demo" && list.text("0", "hash") == nil)
        let name = try #require(try list.text("1", "model_name"))
        #expect(try list.text("1", "sha256") == nil && list.text("1", "title")?.contains("[") == false)
        _ = try await server.post("/sdapi/v1/options", #"{"sd_model_checkpoint": "\#(name)"}"#)
        let made = try await server.post(
            "/sdapi/v1/txt2img", #"{"prompt": "a", "steps": 1, "width": 64, "height": 64}"#)
        #expect(made.status == 200)
        let told = try await server.get("/sdapi/v1/sd-models")
        let (hash, whole) = (try #require(try told.text("1", "hash")), try told.text("1", "sha256"))
        #expect(hash.count == 10 && whole?.count == 64 && whole?.hasPrefix(hash) == true)
        let title = try #require(try told.text("1", "title"))
        #expect(title == "\(name).safetensors [\(hash)]")
        #expect(try await server.get("/sdapi/v1/options").text("sd_checkpoint_hash") == whole)
        #expect(try await server.get("/sdapi/v1/options").text("sd_model_checkpoint") == title)
        let info = try JSONValue(parsing: Array((made.text("info") ?? "").utf8), named: "info").objectValue
        #expect(info?["sd_model_hash"]?.stringValue == hash)
        #expect(info?["infotexts"]?.arrayValue?.first?.stringValue?.contains("Model hash: \(hash)") == true)
        // By its title with the hash, too; an empty name is none.
        for name in [title, ""] {
            let again = try await server.post("/sdapi/v1/options", #"{"sd_model_checkpoint": "\#(name)"}"#)
            #expect(again.status == 200)
            #expect(try await server.get("/sdapi/v1/options").text("sd_model_checkpoint") == title)
        }

        let loras = try await server.get("/sdapi/v1/loras")
        #expect(try loras.text("0", "name") == "file" && loras.text("0", "alias") == "soft")
        #expect(try loras.text("0", "metadata", "ss_tag_frequency", "a") == "1")
        #expect(try loras.value("0", "metadata", "ssmd_cover_images") == nil)
        let word = try #require(
            try await server.get("/sdapi/v1/embeddings").value("loaded")?.objectValue?.members.first)
        #expect(word.key.hasSuffix("sketch"))
        let vectors = word.value.objectValue
        #expect(
            vectors?["vectors"]?.numberValue?.integer == 3 && vectors?["shape"]?.numberValue?.integer == 64)
        #expect(vectors?["step"]?.numberValue?.integer == 500)

        // Another process knows it without reading the file.
        #expect(await server.end() == 0)
        server = try await RunningServer(options, environment: ["XDG_CACHE_HOME": cache.path])
        #expect(try await server.get("/sdapi/v1/sd-models").text("1", "sha256") == whole)
        // It is named by that, too.
        let sum = try #require(whole)
        for name in [hash, sum] {
            for chosen in ["demo", name] {
                let answer = try await server.post(
                    "/sdapi/v1/options", #"{"sd_model_checkpoint": "\#(chosen)"}"#)
                #expect(answer.status == 200)
            }
            #expect(try await server.get("/sdapi/v1/options").text("sd_model_checkpoint") == title)
        }
        // What is gone is not what requests mean that name none.
        try FileManager.default.removeItem(at: models.appending(path: "Stable-diffusion/one.safetensors"))
        #expect(try await server.post("/sdapi/v1/refresh-checkpoints").status == 200)
        #expect(try await server.get("/sdapi/v1/options").text("sd_model_checkpoint") == "demo")
    }

    @Test("What is said of pictures has a seed to its last digit, and of two passes the first one's size")
    func info() async throws {
        let server = try await RunningServer()
        let answer = try await server.post(
            "/sdapi/v1/txt2img",
            #"""
            {"prompt": "a", "steps": 1, "seed": 18446744073709551615, "width": 64, "height": 128,
             "enable_hr": true, "hr_scale": 2}
            """#)
        let said = try #require(try answer.text("info"))
        let info = try JSONValue(parsing: Array(said.utf8), named: "info").objectValue
        let (seed, seeds) = (info?["seed"], info?["all_seeds"]?.arrayValue?.first)
        for number in [seed, seeds] { #expect(number?.numberValue?.text == "18446744073709551615") }
        #expect(info?["width"]?.numberValue?.integer == 64)
        #expect(info?["height"]?.numberValue?.integer == 128)
        #expect(info?["infotexts"]?.arrayValue?.first?.stringValue?.contains("Size: 64x128") == true)
    }

    @Test("Skipping finishes one picture as it is, interrupting the job too")
    func skipping() async throws {
        let server = try await RunningServer()
        func made(_ path: String) async throws -> (seeds: [String], pictures: Int) {
            async let answer = server.post(
                "/sdapi/v1/txt2img",
                #"{"prompt": "a", "steps": 60, "n_iter": 3, "seed": 5, "width": 128, "height": 128}"#)
            while try await server.get("/sdapi/v1/progress?skip_current_image=true")
                .text("state", "sampling_step") == "0"
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await server.post("/sdapi/v1/\(path)").status == 200)
            let info = try await answer.text("info") ?? ""
            let seeds = try JSONValue(parsing: Array(info.utf8), named: "info").objectValue?["all_seeds"]
            let images = try await answer.value("images")?.arrayValue?.count
            return ((seeds?.arrayValue ?? []).compactMap { $0.numberValue?.text }, images ?? 0)
        }
        #expect(try await made("skip") == (["5", "6", "7"], 3))
        #expect(try await made("interrupt") == (["5", "6", "7"], 1))
        let jobs = try await server.get("/api/v1/jobs")
        #expect(try jobs.text("jobs", "0", "state") == "done" && jobs.text("jobs", "1", "state") == "done")
        // What was skipped is not what all of its steps make; the next ones are.
        func pictures(_ job: String) throws -> [String?] {
            try (0..<3).map { try jobs.text("jobs", job, "pictures", "\($0)", "id") }
        }
        _ = try await server.post(
            "/sdapi/v1/txt2img",
            #"{"prompt": "a", "steps": 60, "n_iter": 3, "seed": 5, "width": 128, "height": 128}"#)
        let whole = try await server.get("/api/v1/jobs")
        let ids = try (0..<3).map { try whole.text("jobs", "0", "pictures", "\($0)", "id") }
        let skipped = try pictures("1")
        #expect(skipped[0] != ids[0] && skipped[1...] == ids[1...])
        #expect(try await server.post("/sdapi/v1/skip").status == 200)
    }

    @Test("Whose pictures wait interrupts those, and nobody else's")
    func interruptingWhatWaits() async throws {
        let server = try await RunningServer()
        func made(_ client: String, _ count: Int) async throws -> Int? {
            try await server.ask(
                .POST, "/sdapi/v1/txt2img",
                json:
                    #"{"prompt": "a", "steps": 100, "n_iter": \#(count), "width": 128, "height": 128}"#,
                headers: [("easel-client", client)]
            ).value("images")?.arrayValue?.count
        }
        async let painted = made("first", 3)
        while try await server.get("/sdapi/v1/progress?skip_current_image=true")
            .text("state", "sampling_step") == "0"
        {
            try await Task.sleep(for: .milliseconds(5))
        }
        async let waiting = made("second", 1)
        while try await server.get("/api/v1/status").text("queued") != "1" {}
        for (path, queued) in [("skip", "1"), ("interrupt", "0")] {
            let answer = try await server.ask(
                .POST, "/sdapi/v1/\(path)", json: "{}", headers: [("easel-client", "second")])
            #expect(answer.status == 200)
            #expect(try await server.get("/api/v1/status").text("queued") == queued)
        }
        #expect(try await waiting == 0)
        #expect(try await painted == 3)
    }

    @Test("So many pictures are made larger by one request, and so many pixels")
    func enlarging() async throws {
        let server = try await RunningServer()
        let black = Image(width: 8, height: 8, pixels: [UInt8](repeating: 0, count: 8 * 8 * 3))
        let picture = try PictureFile(black).encoded(as: .png).base64EncodedString()
        func answer(_ count: Int, side: Int) async throws -> RunningServer.Answer {
            let list = Array(repeating: #"{"data": "\#(picture)", "name": "a"}"#, count: count)
            return try await server.post(
                "/sdapi/v1/extra-batch-images",
                #"""
                {"imageList": [\#(list.joined(separator: ", "))], "resize_mode": 1,
                 "upscaling_resize_w": \#(side), "upscaling_resize_h": \#(side)}
                """#)
        }
        let made = try await answer(64, side: 16)
        #expect(try made.value("images")?.arrayValue?.count == 64)
        let many = try await answer(65, side: 16)
        #expect(many.status == 422)
        #expect(try many.text("detail", "0", "loc", "1") == "imageList")
        let large = try await answer(1, side: 9000)
        #expect(large.status == 422)
        #expect(try large.text("detail", "0", "loc", "1") == "upscaling_resize")
    }

    @Test("Options with which no picture could be made are refused, and nothing of them is kept")
    func options() async throws {
        let server = try await RunningServer()
        for (changes, field) in [
            (#""sd_vae": "x.safetensors""#, "sd_vae"), (#""sd_vae": 1"#, "sd_vae"),
            (#""CLIP_stop_at_last_layers": 99"#, "CLIP_stop_at_last_layers"),
            // The demo model's text encoder has three layers.
            (#""CLIP_stop_at_last_layers": 4"#, "CLIP_stop_at_last_layers"),
        ] {
            let body = #"{"samples_format": "jpg", \#(changes)}"#
            let answer = try await server.post("/sdapi/v1/options", body)
            #expect(answer.status == 422, "\(body)")
            #expect(try answer.text("detail", "0", "loc", "1") == field, "\(body)")
        }
        let kept = try await server.get("/sdapi/v1/options")
        #expect(try kept.text("sd_vae") == "Automatic" && kept.text("samples_format") == "png")
        // What clients send back whole.
        #expect(try await server.post("/sdapi/v1/options", kept.text).status == 200)
        let made = try await server.post(
            "/sdapi/v1/txt2img",
            #"""
            {"prompt": "a", "steps": 1, "width": 64, "height": 64, "sampler_name": "", "sampler_index": "Euler"}
            """#)
        #expect(made.status == 200)
    }

    @Test(
        "A number may be text in options too; one that is too large is refused, whether the model is open or not"
    )
    func numbers() async throws {
        let server = try await RunningServer()
        let set = try await server.post("/sdapi/v1/options", #"{"CLIP_stop_at_last_layers": "2"}"#)
        #expect(set.status == 200)
        let made = try await server.post(
            "/sdapi/v1/txt2img", #"{"prompt": "a", "steps": 1, "width": 64, "height": 64}"#)
        let said = try #require(try made.text("info"))
        let info = try JSONValue(parsing: Array(said.utf8), named: "info").objectValue
        #expect(info?["clip_skip"]?.numberValue?.integer == 2)
        for path in ["reload-checkpoint", "unload-checkpoint"] {
            #expect(try await server.post("/sdapi/v1/\(path)").status == 200)
            let refused = try await server.post(
                "/sdapi/v1/txt2img", #"{"prompt": "a", "cfg_scale": 1e300, "width": 64, "height": 64}"#)
            #expect(refused.status == 422, "\(path)")
            #expect(try refused.text("detail", "0", "loc", "1") == "cfg_scale", "\(path)")
        }
    }
}
