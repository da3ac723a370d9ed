import Checkpoints
import EngineInterface
import Foundation
import Hummingbird
import Imaging

/// What is done with pictures that are there: reading their settings, making them larger.
struct A1111ExtrasRoutes: Sendable {
    let limits: ServerLimits
    /// One picture at a time is read, whoever asks: each takes as much memory as the limits let it, and a processor.
    private let executor = QueueExecutor(label: "easel.extras")

    init(limits: ServerLimits) { self.limits = limits }

    func add(to api: RouterGroup<ServerContext>) {
        api.post("png-info", use: pngInfo)
        api.post("extra-single-image", use: enlarge)
        api.post("extra-batch-images", use: enlargeAll)
    }

    @Sendable private func pngInfo(_ request: Request, _ context: ServerContext) async throws -> Response {
        let fields = try await A1111Fields(of: request, limit: limits.bodyBytes)
        guard let text = try fields.text("image"), !text.isEmpty else {
            throw APIError(.notFound, "not_found", "Image not found")
        }
        let notes = try await executor.run { try picture(text, field: "image").notes }
        let parameters = notes.parameters ?? ""
        var said = JSONObject()
        if let metadata = GenerationMetadata(parameters: parameters) {
            said = [
                "Prompt": .string(metadata.prompt), "Negative prompt": .string(metadata.negativePrompt),
                "Steps": .string(String(metadata.steps)), "Sampler": .string(metadata.sampler),
                "Schedule type": .string(metadata.schedule ?? "Automatic"),
                "CFG scale": .string("\(metadata.guidanceScale)"), "Seed": .string(String(metadata.seed)),
                "Size-1": .string(String(metadata.width)), "Size-2": .string(String(metadata.height)),
                "Clip skip": .string(String(metadata.clipSkip ?? 1)),
                "RNG": .string(metadata.randomSource ?? "GPU"),
            ]
            if let model = metadata.model { _ = said.append(.string(model), for: "Model") }
            if let strength = metadata.strength {
                _ = said.append(.string("\(strength)"), for: "Denoising strength")
            }
        }
        return JSONBody([
            "info": .string(parameters), "items": ["parameters": .string(parameters)],
            "parameters": .object(said),
        ]).response()
    }

    @Sendable private func enlarge(_ request: Request, _ context: ServerContext) async throws -> Response {
        let fields = try await A1111Fields(of: request, limit: limits.bodyBytes)
        let images = try await enlarged([fields.text("image") ?? ""], fields)
        return JSONBody(["html_info": "", "image": .string(images[0])]).response()
    }

    @Sendable private func enlargeAll(_ request: Request, _ context: ServerContext) async throws -> Response {
        let fields = try await A1111Fields(of: request, limit: limits.bodyBytes)
        let texts = try fields.objects("imageList").map { try $0.text("data") ?? "" }
        guard texts.count <= limits.count else {
            throw A1111Fields.wrong("imageList", "Input should have at most \(limits.count) items")
        }
        let images = try await enlarged(texts, fields)
        return JSONBody(["html_info": "", "images": JSONValue(images)]).response()
    }

    /// Pictures made larger as the fields say, in base64. All of them together have no more pixels than one may have.
    private func enlarged(_ texts: [String], _ fields: A1111Fields) async throws -> [String] {
        var images: [String] = []
        var pixelsLeft = limits.pixels
        for text in texts {
            // One who is gone waits for no picture.
            try Task.checkCancellation()
            let (image, pixels) = try await executor.run { [pixelsLeft] in
                try enlarged(text, fields, pixelLimit: pixelsLeft)
            }
            images.append(image)
            pixelsLeft -= pixels
        }
        return images
    }

    private func picture(_ text: String, field: String) throws -> PictureFile {
        try PictureFile(
            reading: Base64Picture.bytes(text, field: field), named: "the picture", pixelLimit: limits.pixels)
    }

    /// A picture made larger as the fields say.
    ///
    /// - Parameter pixelLimit: How many pixels it may then have.
    /// - Returns: The picture in base64, and how many pixels it has.
    private func enlarged(
        _ text: String, _ fields: A1111Fields, pixelLimit: Int
    ) throws -> (image: String, pixels: Int) {
        let file = try picture(text, field: "image")
        for name in ["upscaler_1", "upscaler_2"] {
            let upscaler = try fields.text(name) ?? "None"
            guard A1111Upscalers.pictures.contains(upscaler) else {
                throw APIError(.notFound, "unknown_upscaler", "Upscaler not found")
            }
        }
        let image = file.image
        let size: (width: Double, height: Double)
        if try fields.integer("resize_mode") == 1 {
            size = (
                Double(try fields.integer("upscaling_resize_w") ?? 512),
                Double(try fields.integer("upscaling_resize_h") ?? 512)
            )
        } else {
            let factor = try fields.number("upscaling_resize") ?? 2
            size = (Double(image.width) * factor, Double(image.height) * factor)
        }
        guard size.width >= 1, size.height >= 1, size.width * size.height <= Double(pixelLimit),
            max(size.width, size.height) <= 16384
        else {
            throw A1111Fields.wrong(
                "upscaling_resize",
                "Input makes a picture, or pictures together, of a size that is not possible")
        }
        let crops = try fields.flag("upscaling_crop") ?? true
        let larger = image.resized(
            crops ? .crop : .pad, width: Int(size.width.rounded()), height: Int(size.height.rounded()))
        let bytes = try PictureFile(larger, notes: file.notes).encoded(as: .png)
        return (bytes.base64EncodedString(), larger.width * larger.height)
    }
}
