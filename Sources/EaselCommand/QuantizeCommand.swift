import ArgumentParser
import Checkpoints
import Easel
import Foundation
import OpenVINOEngine

extension BlockFormat: ExpressibleByArgument {}

/// `easel quantize`: a model as integers of 8 bits, half as large as in half precision; or its weights alone as integers
/// of 8 to 4 bits, as GGUF files have them.
struct QuantizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model as integers of 8 bits or fewer, which is smaller.",
        discussion: """
            With a .safetensors file or a folder as output, the model is computed with integers: it loads sooner and \
            paints faster. It makes a few pictures first, to see what its layers are given: that takes a minute or two \
            for one of full size, once for the same weights.

            With a .gguf file as output, its matrices alone are stored so, in blocks that share a scale, as --weights \
            says, and named as stable-diffusion.cpp names them; it is computed as other models are.
            """)

    @OptionGroup
    var conversion: ConversionOptions
    @Option(
        help: "q8_0, q5_1, q5_0, q4_1 or q4_0: what matrices are stored as in a .gguf file (default: q8_0).")
    var weights: BlockFormat?
    @Option(help: "What the other numbers are stored as: f32, f16 or bf16 (default: each as it is).")
    var type: NumberType?
    @OptionGroup
    var cpu: ThreadOptions

    func validate() throws {
        try cpu.check()
        if weights != nil, !conversion.isGGUF {
            throw ValidationError("--weights is for a .gguf file: \(conversion.output) is none.")
        }
        if conversion.isGGUF, conversion.layout == .folder {
            throw ValidationError("A .gguf file is no folder: leave --layout out.")
        }
        if let type, ![.float32, .float16, .bfloat16].contains(type) {
            throw ValidationError("--type \(type.rawValue) is not possible here: take f32, f16 or bf16.")
        }
    }

    func run() async throws {
        await reportingErrors { try await interruptible { try await quantize() } }
    }

    private func quantize() async throws {
        let target = conversion.target
        var opened = try conversion.open()
        if conversion.isGGUF {
            try opened.check(target, layout: .file)
            try conversion.warn(of: opened)
            try opened.write(to: target, blocks: weights ?? .q8, numbers: type)
        } else {
            let layout = conversion.targetLayout
            try opened.check(target, layout: layout)
            try conversion.warn(of: opened)
            let measured = try Model(
                at: ModelLocation.url(named: conversion.model), engine: OpenVINOEngine(threads: cpu.threads),
                precision: .int8,
                vocabulary: conversion.vocabularyURL, vae: conversion.vaeURL)
            opened.quantize(try await measured.activationRanges())
            try opened.write(to: target, layout: layout, numbers: type)
        }
        print(conversion.output)
    }
}
