import Checkpoints
import Easel
import Foundation
import OpenVINOEngine

/// How long a model takes to be opened, which reads no weights: `OpenTime MODEL…`.
@main
enum OpenTime {
    static func main() throws {
        let clock = ContinuousClock()
        let engine = try OpenVINOEngine()
        for path in CommandLine.arguments.dropFirst() {
            let url = URL(filePath: path)
            for _ in 0..<5 {
                let header = clock.measure { _ = try? Checkpoint(contentsOf: url) }
                let whole = try clock.measure { _ = try Model(at: url, engine: engine) }
                print("\(path): header \(header), model \(whole)")
            }
        }
    }
}
