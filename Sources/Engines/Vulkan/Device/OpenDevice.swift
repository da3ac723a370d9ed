import EngineInterface
import Synchronization

/// The device that an engine computes on, which is opened again after it was lost, for what is computed from then on.
final class OpenDevice: Sendable {
    private struct State {
        var device: VulkanDevice
        /// Of those that were lost.
        var peakByteCount = 0
    }

    private let state: Mutex<State>

    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)``.
    init(
        _ physical: PhysicalDevice, patience: Duration, capturingStatistics: Bool
    ) throws(EngineError) {
        state = Mutex(
            State(
                device: try VulkanDevice(
                    physical, patience: patience, capturingStatistics: capturingStatistics)))
    }

    /// The one that was opened last, which may be lost.
    var last: VulkanDevice { state.withLock { $0.device } }

    /// The most bytes of its own memory that were held at one time.
    var peakMemoryByteCount: Int {
        state.withLock { state in
            max(state.peakByteCount, state.device.memory.withLock { $0.peakByteCount })
        }
    }

    /// The one that was opened last, or another where that is lost.
    ///
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where it cannot be opened again.
    func usable() throws(EngineError) -> VulkanDevice {
        let lost = last
        guard lost.isLost else { return lost }
        let opened = try VulkanDevice(
            lost.physical, patience: lost.patience, capturingStatistics: lost.capturesStatistics)
        let peakByteCount = peakMemoryByteCount
        return state.withLock { state in
            // Another thread may have opened it meanwhile.
            if state.device === lost {
                state.peakByteCount = peakByteCount
                state.device = opened
            }
            return state.device
        }
    }
}
