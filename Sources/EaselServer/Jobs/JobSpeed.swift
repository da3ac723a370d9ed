import Foundation
import Synchronization

/// How long jobs take, by what earlier ones took.
final class JobSpeed: Sendable {
    private struct Measured {
        /// In seconds, of a step's U-Net pass over 512×512 pixels.
        var pass: Double
        /// In seconds, of what a job takes besides.
        var rest: Double
    }

    private let measured = Mutex<[String: Measured]>([:])

    /// Learns of a job that is done.
    ///
    /// - Parameter model: The name of the model that it was made with.
    func learn(_ settings: JobSettings, model: String, timings: [String: Double]) {
        guard let denoising = timings["denoise"], denoising > 0 else { return }
        let pass = denoising / Self.passes(settings)
        let rest = max(timings.values.reduce(0, +) - denoising, 0)
        measured.withLock { all in
            guard let known = all[model] else {
                all[model] = Measured(pass: pass, rest: rest)
                return
            }
            // The last jobs count most: what else the machine does changes.
            all[model] = Measured(pass: (known.pass + pass) / 2, rest: (known.rest + rest) / 2)
        }
    }

    /// How long a job takes in seconds; nil where none of its model was made yet.
    func seconds(_ settings: JobSettings, model: String) -> Double? {
        measured.withLock { $0[model] }.map { $0.pass * Self.passes(settings) + $0.rest }
    }

    /// How long a step of a picture takes in seconds.
    func secondsPerStep(_ settings: JobSettings, model: String) -> Double? {
        let steps = Double(max((settings.steps ?? 25) * (settings.count ?? 1), 1))
        return measured.withLock { $0[model] }.map { $0.pass * Self.passes(settings) / steps }
    }

    /// U-Net passes, counted as ones over 512×512 pixels.
    private static func passes(_ settings: JobSettings) -> Double {
        func area(_ scale: Double) -> Double {
            Double(settings.width ?? 512) * Double(settings.height ?? 512) * scale * scale / (512 * 512)
        }
        let steps = Double(settings.steps ?? 25) * (settings.initImage == nil ? 1 : settings.strength ?? 0.75)
        var passes = steps * area(1)
        if let hires = settings.hires {
            passes +=
                Double(hires.steps ?? settings.steps ?? 25) * (hires.strength ?? 0.7) * area(hires.scale ?? 2)
        }
        let isGuided = (settings.guidanceScale ?? 7.5) > 1
        return max(passes, 0.01) * Double(settings.count ?? 1) * (isGuided ? 2 : 1)
    }
}
