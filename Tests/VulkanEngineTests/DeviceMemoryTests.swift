import Testing

@testable import VulkanEngine

/// Which kinds of memory things are put in.
struct DeviceMemoryTests {
    /// The bits of VkMemoryPropertyFlagBits.
    private let own: UInt32 = 1
    private let visible: UInt32 = 2
    private let coherent: UInt32 = 4
    private let cached: UInt32 = 8
    private let coherentOnDevice: UInt32 = 0x40
    private let uncachedOnDevice: UInt32 = 0x80

    /// As drivers of AMD's GPUs list them.
    private var kinds: [UInt32] {
        let seen = visible | coherent
        let plain = [own, seen, own | seen, seen | cached]
        return plain + plain.map { $0 | coherentOnDevice | uncachedOnDevice }
    }

    @Test func theDevicesOwnMemoryIsTakenFirst() {
        #expect(DeviceBuffer.Place.device.types(of: kinds, among: .max) == [0, 2, 1, 3])
        #expect(DeviceBuffer.Place.staging.types(of: kinds, among: .max) == [1, 2, 3])
        #expect(DeviceBuffer.Place.results.types(of: kinds, among: .max) == [3, 1, 2])
    }

    @Test func onlyPossibleKindsAreTaken() {
        #expect(DeviceBuffer.Place.device.types(of: kinds, among: 0b1010) == [1, 3])
        #expect(DeviceBuffer.Place.staging.types(of: kinds, among: 0b0001) == [])
        // What needs a feature that is not on is left out, though nothing else is there.
        #expect(DeviceBuffer.Place.device.types(of: kinds, among: 0b1111_0000) == [])
    }
}
