import Foundation
import Imaging
import Testing

@Suite("Several settings in one run")
struct SweepTests {
    private func parameters(_ tool: Tool, _ name: String) throws -> String {
        try #require(PictureFile(contentsOf: tool.file(name)).notes.parameters)
    }

    @Test func twoSweepsMakeATable() async throws {
        let tool = try Tool()
        let result = try await tool.generate(
            "a red cat", "-s", "7", "--sweep", "steps=1,2,3", "--sweep", "sampler=euler,ddim", "-o", "x.png")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.lines.count == 7)
        let settings = try (1...6).map { try parameters(tool, "x-\($0).png") }
        for (index, text) in settings.enumerated() {
            #expect(
                text.contains("Steps: \(index % 3 + 1), Sampler: \(index < 3 ? "Euler" : "DDIM"),"), "\(text)"
            )
            #expect(text.contains("Seed: 7,"))
        }
        let grid = try PictureFile(contentsOf: tool.file("x-grid.png"))
        let cells = try (1...6).map { try Image(contentsOf: tool.file("x-\($0).png")) }
        let (left, top) = (grid.image.width - 3 * 64 - 2 * 4, grid.image.height - 2 * 64 - 4)
        #expect(left > 0 && top > 0)
        for (index, cell) in cells.enumerated() {
            let (x, y) = (left + index % 3 * 68, top + index / 3 * 68)
            let row = 3 * (y * grid.image.width + x)
            #expect(Array(grid.image.pixels[row..<row + 192]) == Array(cell.pixels[..<192]), "\(index)")
        }
        #expect(grid.notes.parameters == settings[0])
    }

    @Test func wordsAndSeedsAreSweptToo() async throws {
        let tool = try Tool()
        let result = try await tool.generate(
            "a red cat", "--sweep", "prompt-replace=red,dark\\, blue", "--sweep", "seed=1,2", "--json",
            "-o", "out/")
        #expect(result.code == 0, "\(result.errors)")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect((report["files"] as? [String])?.count == 4 && (report["grids"] as? [String])?.count == 1)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: tool.file("out").path)).count == 5)
        #expect(try parameters(tool, "out/easel-1-2.png").hasPrefix("a dark, blue cat\n"))
        #expect(try parameters(tool, "out/easel-2-3.png").contains("Seed: 2,"))
    }

    /// Networks are loaded for the first of the pictures alone.
    @Test func theTimesOfAllSettingsAreAddedUp() async throws {
        let tool = try Tool()
        func loading(_ arguments: String...) async throws -> Double {
            let result = try await tool.run(
                ["a cat", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--json"] + arguments)
            #expect(result.code == 0, "\(result.errors)")
            let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let timings = try #require(report?["timings"] as? [String: Double])
            return try #require(timings["load_unet"])
        }
        let alone = try await loading("--steps", "1", "-o", "x.png")
        let swept = try await loading("--sweep", "steps=1,2", "-o", "y.png")
        #expect(swept > alone / 10, "\(swept) s of two pictures, \(alone) s of one")
    }

    /// A prompt may begin like an option, and a swept one is prompt enough.
    @Test func promptsStandWhereTheyStandWithoutASweep() async throws {
        let tool = try Tool()
        let dashed = try await tool.generate("--sweep", "steps=1,2", "-o", "x.png", "--", "-a cat")
        #expect(dashed.code == 0, "\(dashed.errors)")
        #expect(try parameters(tool, "x-1.png").hasPrefix("-a cat\nSteps: 1,"))
        #expect(try parameters(tool, "x-2.png").hasPrefix("-a cat\nSteps: 2,"))
        let swept = try await tool.generate("--sweep", "prompt=a cat,a dog", "-o", "y.png")
        #expect(swept.code == 0, "\(swept.errors)")
        #expect(try parameters(tool, "y-2.png").hasPrefix("a dog\n"))
    }

    @Test func variationsAreOfOneSeed() async throws {
        let tool = try Tool()
        let result = try await tool.generate(
            "a cat", "-s", "5", "--variations", "3", "--grid", "-o", "v.png")
        #expect(result.code == 0, "\(result.errors)")
        let settings = try (1...3).map { try parameters(tool, "v-\($0).png") }
        #expect(settings.allSatisfy { $0.contains("Seed: 5,") && $0.contains("strength: 0.15") })
        #expect(Set(settings).count == 3)
        let grid = try Image(contentsOf: tool.file("v-grid.png"))
        #expect((grid.width, grid.height) == (2 * 64 + 4, 2 * 64 + 4))
        // Under names of their own they are one after the other too.
        let unnamed = try await tool.generate("a cat", "-s", "5", "--variations", "2", "-o", "out/")
        #expect(unnamed.code == 0, "\(unnamed.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: tool.file("out").path).sorted()
                == ["easel-5-1.png", "easel-5-2.png"])
    }

    @Test func stylesAndOtherNoiseHoldInAllCells() async throws {
        let tool = try Tool()
        try Data("name,prompt,negative_prompt\nOil,\"{prompt}, oil on canvas\",\n".utf8).write(
            to: tool.file("styles.csv"))
        let result = try await tool.generate(
            "a red cat", "--style", "Oil", "--sweep", "prompt=a cat,a dog", "--subseed-strength", "0.3", "-o",
            "x.png")
        #expect(result.code == 0, "\(result.errors)")
        let settings = try (1...2).map { try parameters(tool, "x-\($0).png") }
        #expect(
            settings[0].hasPrefix("a cat, oil on canvas\n") && settings[1].hasPrefix("a dog, oil on canvas\n")
        )
        let seeds = settings.map { $0.firstMatch(of: /Variation seed: (\d+)/)?.1 }
        #expect(seeds[0] != nil && seeds[0] == seeds[1])
    }

    @Test func whatGoesWithASweptOptionIsTaken() async throws {
        let tool = try Tool()
        try Data("name,prompt,negative_prompt\nOil,\"{prompt}, oil\",\nInk,\"{prompt}, ink\",\n".utf8).write(
            to: tool.file("table.csv"))
        #expect(try await tool.generate("a cat", "-s", "1", "-o", "a.png").code == 0)
        #expect(try await tool.generate("a dog", "-s", "2", "-o", "b.png").code == 0)
        let result = try await tool.generate(
            "a cat", "--sweep", "init-image=a.png,b.png", "--strength", "1", "--sweep", "style=Oil,Ink",
            "--styles",
            "table.csv", "-o", "x.png")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try parameters(tool, "x-4.png").hasPrefix("a cat, ink\n"))
    }

    @Test(arguments: [
        "stepz=1,2", "vae=a,b", "steps=1,q", "steps=1,0", "model=a,b", "steps", "=1", "sampler=euler,none",
        "threads=1,2", "memory-limit=2GB,4GB", "models-dir=.,..", "compress-weights=1,2", "variations=1,2",
    ])
    func whatCannotBeSweptIsRefusedFirst(_ sweep: String) async throws {
        let tool = try Tool()
        let result = try await tool.generate("a cat", "--sweep", sweep, "-o", "x.png")
        #expect(result.code == 64 && !result.errors.isEmpty, "\(result.errors)")
        #expect(try tool.files.isEmpty)
    }
}
