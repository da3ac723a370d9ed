import ArgumentParser
import EngineInterface
import Foundation
import OpenVINOEngine
import VulkanEngine

/// `easel devices`: what can compute here.
struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List what can compute on this machine, by the names that --device takes.")

    @Flag(help: "Print one line of JSON for each.")
    var json = false

    func run() async throws { await reportingErrors { try show() } }

    private func show() throws {
        let devices = [cpu] + gpus()
        if json {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for device in devices { print(String(decoding: try encoder.encode(device), as: UTF8.self)) }
            return
        }
        let width = devices.map(\.device.count).max() ?? 0
        for device in devices {
            print(device.device.padding(toLength: width + 2, withPad: " ", startingAt: 0) + device.summary)
        }
    }

    /// A row of the list.
    private struct Device: Encodable {
        /// What `--device` takes.
        let device: String
        let name: String
        let kind: String
        var driver: String?
        let memoryBytes: Int
        let precisions: [String]
        /// Why it cannot be used.
        var missing: String?

        var summary: String {
            let memory = String(format: "%.1f GB", Double(memoryBytes) / 1e9)
            let state = missing.map { "cannot be used: \($0)" } ?? precisions.joined(separator: ", ")
            return ["\(name) (\(kind))", driver, memory, state].compactMap { $0 }.joined(separator: "; ")
        }
    }

    private var cpu: Device {
        var precisions: [String] = []
        var missing: String?
        do {
            let engine = try OpenVINOEngine()
            precisions = Precision.allCases.filter { $0 != .automatic && (try? engine.resolve($0)) != nil }
                .map(\.rawValue)
        } catch { missing = "\(error)" }
        return Device(
            device: "cpu", name: "the CPU, \(ProcessInfo.processInfo.activeProcessorCount) cores",
            kind: "openvino", memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory),
            precisions: precisions, missing: missing)
    }

    private func gpus() -> [Device] {
        do {
            return try VulkanEngine.devices().enumerated().map { index, device in
                Device(
                    device: "gpu:\(index)", name: device.name, kind: device.kind.rawValue,
                    driver: device.driver,
                    memoryBytes: device.memoryByteCount, precisions: device.precisions.map(\.rawValue),
                    missing: device.missing)
            }
        } catch {
            // The CPU is listed all the same.
            FileHandle.standardError.write(Data("easel: no GPUs: \(error)\n".utf8))
            return []
        }
    }
}
