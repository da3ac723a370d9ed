import Checkpoints
import Foundation
import Testing

@testable import Sampling

/// A golden file, made by the Python script of the same name.
func golden(_ name: String) throws -> JSONValue {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try JSONValue(contentsOf: tests.appending(path: "Golden/\(name)"))
}

extension JSONValue {
    subscript(key: String) -> JSONValue { objectValue?[key] ?? .null }
    var items: [JSONValue] { arrayValue ?? [] }
    var integer: Int { numberValue?.integer ?? .min }
    var float: Float { Float(numberValue?.double ?? .nan) }
    var configuration: SchedulerConfiguration {
        get throws {
            try SchedulerConfiguration(Configuration(#require(objectValue), path: "scheduler_config.json"))
        }
    }
}

/// The scheduler configuration of a JSON text.
func configuration(_ text: String) throws -> SchedulerConfiguration {
    try JSONValue(parsing: Array(text.utf8), named: "scheduler_config.json").configuration
}

/// Stable Diffusion 1.5's noise schedule, nothing clipped.
let latentConfiguration: SchedulerConfiguration = {
    var configuration = SchedulerConfiguration()
    configuration.betaStart = 0.00085
    configuration.betaEnd = 0.012
    configuration.betaSchedule = .scaledLinear
    configuration.skipRungeKuttaSteps = true
    configuration.clipSample = false
    return configuration
}()
