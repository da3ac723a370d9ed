import Foundation
import Testing

@testable import EaselServer

/// Whether jobs are made at once: by what was measured, not by what they are.
@Suite struct BatchChoiceTests {
    /// - Parameter seconds: Of a picture's 20 steps, by the batch's size.
    private static func choice(_ seconds: [Int: Double], count: Int = 2, loading: Double = 0) -> BatchChoice {
        var choice = BatchChoice(steps: 20)
        choice.measured = seconds.mapValues { .init(seconds: $0, loading: loading, count: count, age: 60) }
        return choice
    }

    @Test("Small pictures, of which a batch was faster, are made at once")
    func faster() {
        // 14 ms a step alone, 9 by two, 8 by four.
        let choice = Self.choice([1: 0.28, 2: 0.18, 4: 0.16])
        #expect([1, 2, 3, 4, 5, 7].map(choice.size(of:)) == [1, 2, 2, 4, 4, 4])
        // Where four are slower than two, two are taken.
        #expect(Self.choice([1: 0.28, 2: 0.16, 4: 0.18]).size(of: 4) == 2)
    }

    @Test("Large ones, of which it was not, are made one by one")
    func notFaster() {
        // 838 ms a step alone, 843 by four.
        let choice = Self.choice([1: 16.76, 2: 16.8, 4: 16.86])
        #expect([1, 2, 4, 7].map(choice.size(of:)) == [1, 1, 1, 1])
        // Hardly faster: the first picture would come late for nothing.
        #expect(Self.choice([1: 0.28, 2: 0.27, 4: 0.26]).size(of: 4) == 1)
    }

    @Test("A size is tried twice where steps are short, once alone is known")
    func trials() {
        #expect(BatchChoice(steps: 20).size(of: 4) == 1)
        #expect(Self.choice([1: 0.28], count: 1).size(of: 4) == 1)
        #expect(Self.choice([1: 0.28]).size(of: 4) == 4)
        #expect(Self.choice([1: 0.28]).size(of: 3) == 2)
        // 0.84 s a step: nothing is tried.
        #expect(Self.choice([1: 16.76]).size(of: 4) == 1)
        // One measurement is not enough to tell, whatever it says.
        var choice = Self.choice([1: 0.28, 4: 0.5])
        choice.measured[4]?.count = 1
        #expect(choice.size(of: 4) == 4)
        choice.measured[4]?.count = 2
        // Four were too slow; two are yet to be tried.
        #expect(choice.size(of: 4) == 2)
        choice.measured[2] = choice.measured[4]
        #expect(choice.size(of: 4) == 1)
        // After a day, once more.
        choice.measured[4]?.age = 25 * 3600
        #expect(choice.size(of: 4) == 4)
        // What cannot be computed is left alone.
        choice.failed = [4]
        #expect(choice.size(of: 4) == 1)
    }

    @Test("Where the U-Net is compiled for each size again, only what outweighs that is made at once")
    func loading() {
        #expect(Self.choice([1: 0.28, 2: 0.18, 4: 0.16], loading: 0.3).size(of: 4) == 1)
        #expect(Self.choice([1: 2.8, 2: 1.8, 4: 1.6], loading: 0.3).size(of: 4) == 4)
    }

    @Test("What jobs took is what decides, for each model and size")
    func measured() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let speed = try JobSpeed(database.pool, device: "cpu")
        func settings(_ side: Int) -> JobSettings {
            var settings = JobSettings(prompt: "")
            (settings.width, settings.height, settings.steps, settings.guidanceScale) = (side, side, 10, 7)
            return settings
        }
        func learn(_ side: Int, _ batch: Int, _ seconds: Double, of speed: JobSpeed) async {
            for _ in 0..<2 {
                await speed.learn(
                    settings(side), model: "a", timings: ["denoise": seconds, "load_unet": 0, "decode": 0.1],
                    batch: batch)
            }
        }
        await learn(128, 1, 0.14, of: speed)
        await learn(128, 4, 0.32, of: speed)
        await learn(512, 1, 0.5, of: speed)
        await learn(512, 4, 2, of: speed)
        await learn(512, 2, 1, of: speed)
        for known in [speed, try JobSpeed(database.pool, device: "cpu")] {
            #expect(known.batchChoice(settings(128), model: "a").size(of: 4) == 4)
            #expect(known.batchChoice(settings(512), model: "a").size(of: 4) == 1)
            #expect(known.batchChoice(settings(128), model: "b").size(of: 4) == 1)
            // How long one job takes is still what one took.
            #expect(known.seconds(settings(128), model: "a").map { abs($0 - 0.24) < 1e-9 } == true)
        }
        speed.failed(settings(128), model: "a", batch: 4)
        #expect(speed.batchChoice(settings(128), model: "a").size(of: 4) == 2)
        // A job of several pictures at once says how fast that is, too.
        var several = settings(256)
        (several.count, several.batchSize) = (4, 4)
        for _ in 0..<2 { await speed.learn(several, model: "a", timings: ["denoise": 1.6]) }
        await learn(256, 1, 0.8, of: speed)
        #expect(speed.batchChoice(settings(256), model: "a").size(of: 4) == 4)
    }
}
