import Testing

@Suite("easel graph lists a network")
struct GraphCommandTests {
    let tool: Tool
    init() throws { tool = try Tool() }

    @Test(arguments: ["text-encoder", "unet", "vae-decoder", "vae-encoder"])
    func lists(_ network: String) async throws {
        let model = Tool.model("tiny-sd1").path
        let listing = try await tool.run("graph", network, "-m", model)
        #expect(listing.code == 0, "\(listing.errors)")
        #expect(listing.errors == "")
        let decomposed = try await tool.run("graph", network, "-m", model, "--decomposed")
        #expect(decomposed.code == 0)
        #expect(decomposed.lines.count > listing.lines.count)
        let composite = network == "text-encoder" ? "layer norm(" : "group norm("
        #expect(listing.output.contains(composite), "\(listing.output.prefix(2000))")
        #expect(!decomposed.output.contains(composite))
    }

    @Test func sizes() async throws {
        let model = Tool.model("tiny-sd1").path
        let wide = try await tool.run("graph", "unet", "-m", model, "-W", "128", "--batch-size", "3")
        #expect(wide.output.contains("[6, 4, 8, 16]"), "\(wide.output.prefix(500))")
        #expect(try await tool.run("graph", "unet", "-m", model, "-W", "100").code == 64)
        #expect(try await tool.run("graph", "unet", "-m", model, "--batch-size", "0").code == 64)
        #expect(try await tool.run("graph", "clip", "-m", model).code == 64)
        #expect(try await tool.run("graph", "unet", "-m", "missing").code == 65)
    }
}
