import Foundation
import FuzzTargets
import Testing

@Suite("What fuzzing found stays found")
struct ReplayTests {
    @Test(arguments: FuzzTarget.allCases)
    func corpusAndRegressions(_ target: FuzzTarget) throws {
        let fuzz = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzz")
        var count = 0
        for folder in ["Corpus", "Regressions"] {
            let inputs = fuzz.appending(path: "\(folder)/\(target.rawValue)")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: inputs.path)) ?? []
            for name in names {
                let bytes = [UInt8](try Data(contentsOf: inputs.appending(path: name)))
                #expect(throws: Never.self, "\(folder)/\(target.rawValue)/\(name)") {
                    try target.check(bytes)
                }
                count += 1
            }
        }
        #expect(count > 0, "there is no corpus")
    }
}
