import ArgumentParser
import Easel
import Foundation
import Sampling

/// `easel samplers`: the samplers and schedules there are, with a line on each.
struct SamplersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "samplers", abstract: "List the samplers and the schedules of noise levels.",
        discussion: """
            AUTOMATIC1111's, ComfyUI's and diffusers' names are understood too. A sampler that asks the network more \
            than once a step takes as much longer.
            """)

    func run() {
        let names = SamplerCatalogue.all.map(\.name) + ScheduleCatalogue.all.map(\.name)
        let width = (names.map(\.count).max() ?? 0) + 2
        func row(_ name: String, _ text: String) -> String {
            "  " + name.padding(toLength: width, withPad: " ", startingAt: 0) + text
        }
        print("Samplers (--sampler):")
        for sampler in SamplerCatalogue.all { print(row(sampler.name, sampler.summary)) }
        print("\nSchedules (--schedule), for samplers over noise levels; without one, the model's own:")
        for schedule in ScheduleCatalogue.all { print(row(schedule.name, schedule.summary)) }
    }
}
