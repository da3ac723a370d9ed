import ArgumentParser
import Checkpoints
import Easel
import Foundation

/// `easel convert`: a model in another layout, or of other numbers.
struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write a model as a diffusers folder or as one safetensors file.")

    @OptionGroup
    var conversion: ConversionOptions
    @Option(
        help: "f64, f32, f16, bf16, f8-e4m3 or f8-e5m2: what numbers are stored as (default: each as it is).")
    var type: NumberType?
    @Option(
        help: ArgumentHelp(
            "A LoRA to add to the weights for good, and how strongly (default: 1); repeatable.",
            valueName: "FILE[:weight[:te-weight]]"))
    var lora: [LoRA] = []

    func validate() throws {
        guard conversion.isGGUF else { return }
        throw ValidationError("A .gguf file is what `easel quantize` writes.")
    }

    func run() async throws {
        await reportingErrors { try await interruptible { try convert() } }
    }

    private func convert() throws {
        let store = try ModelLocation.store()
        let loras = lora.map { lora in
            var lora = lora
            lora.path = ModelLocation.path(named: lora.path, kind: .lora, store: store)
            return lora
        }
        let opened = try conversion.open(loras: loras)
        try opened.check(conversion.target, layout: conversion.targetLayout)
        try conversion.warn(of: opened)
        try opened.write(to: conversion.target, layout: conversion.targetLayout, numbers: type)
        print(conversion.output)
    }
}
