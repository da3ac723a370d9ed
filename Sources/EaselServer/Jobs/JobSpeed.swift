import Foundation
import GRDB
import Sampling
import Synchronization

/// How long jobs take, by what earlier ones took: kept in the database, so that a server that was just started knows too.
final class JobSpeed: Sendable {
    /// What decides how fast a U-Net pass over so many pixels is.
    private struct Kind: Hashable {
        let model: String
        /// In pixels.
        let width: Int
        /// In pixels.
        let height: Int
        /// How often the sampler asks the U-Net in a step.
        let callsPerStep: Int
        /// How many pictures are computed at once.
        var batch: Int

        var area: Double { Double(width * height) }
    }

    private struct Measured {
        /// In seconds, of a U-Net pass over 512×512 pixels of one picture.
        var pass: Double
        /// In seconds, of what a job takes besides.
        var rest: Double
        /// In seconds, of that what the U-Net took to be ready the last time.
        var loading: Double
        /// How many times it was measured.
        var count: Int
        /// Of several, the last one that was measured is the largest.
        var turn: Double
    }

    private let measured: Mutex<[Kind: Measured]>
    /// Batches that could not be computed; another process tries again.
    private let failures = Mutex<Set<Kind>>([])
    private let pool: DatabasePool
    /// What computes: speeds of another say nothing.
    private let device: String
    /// How many are kept for each device.
    private static let limit = 1000

    /// - Throws: `DatabaseError`.
    init(_ pool: DatabasePool, device: String) throws {
        (self.pool, self.device) = (pool, device)
        let rows = try pool.read {
            try Row.fetchAll($0, sql: "SELECT * FROM speed WHERE device = ?", arguments: [device])
        }
        var known: [Kind: Measured] = [:]
        for row in rows {
            let kind = Kind(
                model: row["model"], width: row["width"], height: row["height"],
                callsPerStep: row["callsPerStep"], batch: row["batch"])
            known[kind] = Measured(
                pass: row["pass"], rest: row["rest"], loading: row["loading"], count: row["count"],
                turn: row["measured"])
        }
        measured = Mutex(known)
    }

    /// Learns of a job that is done, or of several that were made at once.
    ///
    /// - Parameters:
    ///   - settings: With the size, steps and guidance that it was made with.
    ///   - model: The name of the model that it was made with.
    ///   - timings: In seconds, by stage.
    ///   - batch: How many jobs it was.
    func learn(_ settings: JobSettings, model: String, timings: [String: Double], batch: Int = 1) async {
        guard let denoising = timings["denoise"], denoising > 0 else { return }
        let pass = denoising / (Self.passes(settings) * Double(batch))
        let rest = max(timings.values.reduce(0, +) - denoising, 0) / Double(batch)
        let kind = Self.kind(settings, model, batch: batch)
        let now = Date().timeIntervalSince1970
        let learnt = measured.withLock { all in
            // The last jobs count most: what else the machine does changes.
            let known = all[kind]
            let learnt = Measured(
                pass: known.map { ($0.pass + pass) / 2 } ?? pass,
                rest: known.map { ($0.rest + rest) / 2 } ?? rest, loading: timings["load_unet"] ?? 0,
                count: (known?.count ?? 0) + 1, turn: now)
            all[kind] = learnt
            if all.count > Self.limit, let oldest = all.min(by: { $0.value.turn < $1.value.turn }) {
                all[oldest.key] = nil
            }
            return learnt
        }
        // Where the disk is full, the next server begins with less.
        try? await pool.write { [device] database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO speed
                        (device, model, width, height, callsPerStep, batch, pass, rest, loading, count, measured)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    device, model, kind.width, kind.height, kind.callsPerStep, kind.batch, learnt.pass,
                    learnt.rest, learnt.loading, learnt.count, learnt.turn,
                ])
            try database.execute(
                sql: """
                    DELETE FROM speed WHERE device = ? AND measured <=
                        (SELECT measured FROM speed WHERE device = ? ORDER BY measured DESC LIMIT 1 OFFSET ?)
                    """, arguments: [device, device, Self.limit])
        }
    }

    /// A batch of jobs could not be computed.
    func failed(_ settings: JobSettings, model: String, batch: Int) {
        _ = failures.withLock { $0.insert(Self.kind(settings, model, batch: batch)) }
    }

    /// How jobs of a kind were measured, alone and at once.
    ///
    /// - Parameter settings: As in ``learn(_:model:timings:batch:)``, of one picture.
    func batchChoice(_ settings: JobSettings, model: String) -> BatchChoice {
        var choice = BatchChoice(steps: settings.steps ?? 25)
        let now = Date().timeIntervalSince1970
        for size in [1] + BatchChoice.sizes {
            let kind = Self.kind(settings, model, batch: size)
            if failures.withLock({ $0.contains(kind) }) { choice.failed.insert(size) }
            guard let known = measured.withLock({ $0[kind] }) else { continue }
            choice.measured[size] = BatchChoice.Measured(
                seconds: known.pass * Self.passes(settings), loading: known.loading, count: known.count,
                age: now - known.turn)
        }
        return choice
    }

    /// How long jobs of a kind take in seconds, all together; nil where none of their model was made yet.
    ///
    /// - Parameters:
    ///   - settings: As in ``learn(_:model:timings:batch:)``; what is missing is taken to be the usual.
    ///   - jobs: How many there are.
    ///   - limit: How many of them may be made at once, where that is faster.
    func seconds(_ settings: JobSettings, model: String, of jobs: Int = 1, atOnce limit: Int = 1) -> Double? {
        let most = settings.isForOnePicture ? min(jobs, limit) : 1
        let batch = most > 1 ? batchChoice(settings, model: model).size(of: most) : 1
        let atOnce = batch > 1 ? measured.withLock { $0[Self.kind(settings, model, batch: batch)] } : nil
        return (atOnce ?? nearest(settings, model)).map {
            ($0.pass * Self.passes(settings) + $0.rest) * Double(jobs)
        }
    }

    /// How long a step of a picture takes in seconds.
    func secondsPerStep(_ settings: JobSettings, model: String) -> Double? {
        let steps = Double(max((settings.steps ?? 25) * (settings.count ?? 1), 1))
        return nearest(settings, model).map { $0.pass * Self.passes(settings) / steps }
    }

    /// What was measured with the model: at that size with such a sampler, or else at the nearest size.
    private func nearest(_ settings: JobSettings, _ model: String) -> Measured? {
        let kind = Self.kind(settings, model)
        return measured.withLock { all in
            if let exact = all[kind] { return exact }
            func distance(_ other: Kind) -> (Double, Int, Int) {
                (
                    abs(log(other.area / kind.area)), other.callsPerStep == kind.callsPerStep ? 0 : 1,
                    abs(other.batch - kind.batch)
                )
            }
            return all.filter { $0.key.model == model }.min { left, right in
                let (a, b) = (distance(left.key), distance(right.key))
                return a != b ? a < b : left.value.turn > right.value.turn
            }?.value
        }
    }

    /// - Parameter batch: How many jobs are made at once; those of several pictures say themselves how many.
    private static func kind(_ settings: JobSettings, _ model: String, batch: Int = 1) -> Kind {
        Kind(
            model: model, width: settings.width ?? 512, height: settings.height ?? 512,
            callsPerStep: callsPerStep(settings),
            batch: max(batch, min(settings.batchSize ?? 1, settings.count ?? 1)))
    }

    private static func callsPerStep(_ settings: JobSettings) -> Int {
        settings.sampler.flatMap { try? SamplerCatalogue.named($0) }?.callsPerStep ?? 1
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
        return max(passes, 0.01) * Double(callsPerStep(settings)) * Double(settings.count ?? 1)
            * (isGuided ? 2 : 1)
    }
}
