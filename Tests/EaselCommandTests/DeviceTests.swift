import Foundation
import Testing

/// Which processor the tool computes on, and what it says of those there are.
@Suite("--device and easel devices")
struct DeviceTests {
    let tool: Tool
    init() throws { tool = try Tool() }

    @Test("easel devices lists the CPU and what the drivers know")
    func devicesAreListed() async throws {
        let list = try await tool.run("devices")
        #expect(list.code == 0)
        #expect(list.lines.first?.hasPrefix("cpu ") == true)
        #expect(
            list.lines.contains { $0.hasPrefix("gpu:") && $0.contains("llvmpipe") && $0.contains("f16, f32") }
        )
        let lines = try await tool.run("devices", "--json").lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.first?["device"] as? String == "cpu")
        let gpu = try #require(lines.first { ($0["name"] as? String)?.contains("llvmpipe") == true })
        #expect(gpu["kind"] as? String == "software")
        #expect(gpu["memory_bytes"] as? Int ?? 0 > 1 << 20)
    }

    @Test("A picture is the same on the CPU and by Vulkan")
    func picturesAreTheSame() async throws {
        for (device, name) in [("cpu", "cpu.png"), ("gpu:llvmpipe", "gpu.png")] {
            let result = try await tool.generate(
                "-p", "a", "--seed", "1", "--device", device, "-o", name, "--json")
            #expect(result.code == 0, "\(result.errors)")
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            // What the GPU holds is told where there is one.
            let bytes = report["peak_device_memory_bytes"] as? Int
            #expect(device == "cpu" ? bytes == nil : bytes ?? 0 > 1 << 20)
        }
        #expect(try tool.files == ["cpu.png", "gpu.png"])
    }

    @Test("A machine without Vulkan is told so, and computes on the CPU where nothing else is asked for")
    func vulkanIsMissing() async throws {
        let environment = ["EASEL_VULKAN_LIBRARY": "/nowhere/libvulkan.so"]
        let refused = try await tool.generate("-p", "a", "--device", "gpu", environment: environment)
        #expect(refused.code == 69)
        #expect(refused.errors.contains("/nowhere/libvulkan.so"))
        #expect(refused.errors.contains("--device cpu"))
        #expect(try tool.files.isEmpty)
        let made = try await tool.generate("-p", "a", "-o", "a.png", environment: environment)
        #expect(made.code == 0)
        let list = try await tool.run(["devices"], environment: environment)
        #expect(list.code == 0 && list.lines.count == 1)
        #expect(list.errors.contains("no GPUs"))
    }

    @Test(
        "What is no device is refused before anything is done",
        arguments: [("gpu:none", 69), ("tpu", 64), ("gpu:", 64)])
    func otherDevices(device: String, code: Int32) async throws {
        let result = try await tool.generate("-p", "a", "--device", device)
        #expect(result.code == code)
        #expect(try tool.files.isEmpty)
    }

    @Test("A software driver is not taken without being asked for")
    func softwareIsNotTaken() async throws {
        let result = try await tool.generate("-p", "a", "--device", "gpu")
        // There may be a GPU.
        #expect(
            result.code == 0 || result.code == 69 && result.errors.contains("no GPU among"),
            "\(result.errors)")
    }
}
