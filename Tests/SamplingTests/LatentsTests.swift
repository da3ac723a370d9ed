import Sampling
import Testing

@Suite struct LatentsTests {
    @Test func cornerHasTheFirstRowsAndColumnsOfEachChannel() throws {
        let latents = try Latents(
            (0..<24).map { Float($0) }, batch: 2, channels: 1, height: 3, width: 4)
        let corner = latents.corner(height: 2, width: 3)
        #expect(corner.shape == [2, 1, 2, 3])
        #expect(corner.values == [0, 1, 2, 4, 5, 6, 12, 13, 14, 16, 17, 18])
        #expect(latents.corner(height: 3, width: 4) == latents)
    }
}
