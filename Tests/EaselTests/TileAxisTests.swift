import Testing

@testable import Easel

@Suite("Tiles cover a picture")
struct TileAxisTests {
    @Test(arguments: [1, 3, 8, 9, 13, 16, 17, 64, 100], [false, true])
    func sharesAddUpToOne(_ length: Int, _ isRing: Bool) {
        for (size, overlap) in [(8, 2), (8, 0), (5, 2), (2, 1), (8, 4)] {
            let axis = TileAxis(length: length, size: size, overlap: overlap, isRing: isRing)
            for scale in [1, 4] {
                var sums = [Float](repeating: 0, count: length * scale)
                for tile in axis.starts.indices {
                    let places = axis.indices(of: tile, scale: scale)
                    #expect(places.allSatisfy { (0..<length * scale).contains($0) })
                    for (place, share) in zip(places, axis.shares(of: tile, scale: scale)) {
                        #expect(share > 0 && share <= 1)
                        sums[place] += share
                    }
                }
                #expect(
                    sums.allSatisfy { abs($0 - 1) < 1e-5 },
                    "\(length) in tiles of \(size), overlap \(overlap): \(sums)")
            }
            for phase in 0..<axis.samplePhases {
                let places = axis.sample(scale: 2, run: 8, phase: phase)
                #expect(places.count == axis.size * 2)
                #expect(places.allSatisfy { (0..<length * 2).contains($0) })
            }
        }
    }

    @Test func tilesOverlapByWhatIsAskedForOrMore() {
        for length in 9...100 {
            let axis = TileAxis(length: length, size: 8, overlap: 3, isRing: false)
            #expect(axis.starts.first == 0 && axis.starts.last == length - 8)
            for (one, next) in zip(axis.starts, axis.starts.dropFirst()) { #expect(next - one <= 5) }
        }
    }

    @Test func aTileAsLargeAsThePictureIsAlone() {
        for isRing in [false, true] {
            let axis = TileAxis(length: 8, size: 16, overlap: 4, isRing: isRing)
            #expect(axis.starts == [0] && axis.size == 8 && !axis.isRing)
            #expect(axis.shares(of: 0, scale: 2) == Array(repeating: 1, count: 16))
            #expect(axis.sample(scale: 1, run: 2, phase: 0) == Array(0..<8))
        }
        // Also where runs do not divide it.
        for length in 8...31 {
            let axis = TileAxis(length: length, size: 32, overlap: 8, isRing: false)
            #expect(axis.sample(scale: 1, run: 8, phase: 0) == Array(0..<length))
        }
    }
}
