import Foundation
import VulkanEngine

/// What the device can do at most.
struct Ceilings {
    /// Read and written when memory is copied.
    let bytesPerSecond: Double
    /// Of large products of matrices; nil where nobody measured it.
    let operationsPerSecond: Double?

    /// The least time that so much work takes.
    func leastSeconds(bytes: Int, operations: Int) -> Double {
        max(
            Double(bytes) / bytesPerSecond,
            operationsPerSecond.map { Double(operations) / $0 } ?? 0)
    }

    struct Line: Encodable {
        private let figures = "ceilings"
        private let copyBytesPerSecond: Double
        private let operationsPerSecond: Double?

        init(_ ceilings: Ceilings) {
            copyBytesPerSecond = ceilings.bytesPerSecond
            operationsPerSecond = ceilings.operationsPerSecond
        }
    }
}

/// Where the time of a network goes, against what the device can do (Williams et al., "Roofline", 2009).
struct Roofline {
    private struct Row: Encodable {
        let shader: String
        let shape: String
        let workgroups: Int
        let division: String
        var calls = 0
        var seconds = 0.0
        var operations = 0
        var bytes = 0
        var leastSeconds = 0.0
    }

    private struct Line: Encodable {
        let figures = "roofline"
        let network: String
        let rows: [Row]
    }

    private struct Kind: Hashable {
        let shader: String
        let shape: String
        let division: String
        let workgroups: Int
    }

    private let network: String
    private let ceilings: Ceilings
    private let rows: [Row]

    init(_ times: NetworkTimes, _ ceilings: Ceilings) {
        network = times.network
        self.ceilings = ceilings
        var rows: [Kind: Row] = [:]
        for call in times.calls {
            let kind = Kind(
                shader: call.shader, shape: call.shape, division: call.division, workgroups: call.workgroups)
            var row =
                rows[kind]
                ?? Row(
                    shader: call.shader, shape: call.shape, workgroups: call.workgroups,
                    division: call.division)
            row.calls += 1
            row.seconds += call.seconds
            row.operations += call.operationCount
            row.bytes += call.byteCount
            row.leastSeconds += ceilings.leastSeconds(bytes: call.byteCount, operations: call.operationCount)
            rows[kind] = row
        }
        self.rows = rows.values.sorted { $0.seconds > $1.seconds }
    }

    func print() throws {
        let total = rows.reduce(into: Row(shader: "all", shape: "", workgroups: 0, division: "")) {
            sum, row in
            sum.calls += row.calls
            sum.seconds += row.seconds
            sum.operations += row.operations
            sum.bytes += row.bytes
            sum.leastSeconds += row.leastSeconds
        }
        Swift.print(
            "\(network)\n" + padded("shader", 28) + padded("shape", 20) + padded("divided", 38)
                + " groups calls        µs      %  TFLOP/s    GB/s  % rate  % copy  % roof"
        )
        for row in rows + [total] { Swift.print(text(row, of: total.seconds)) }
        var kinds: [String: Row] = [:]
        for row in rows {
            var kind = kinds[row.shader] ?? Row(shader: row.shader, shape: "", workgroups: 0, division: "")
            kind.calls += row.calls
            kind.seconds += row.seconds
            kind.operations += row.operations
            kind.bytes += row.bytes
            kind.leastSeconds += row.leastSeconds
            kinds[row.shader] = kind
        }
        Swift.print("by shader")
        for kind in kinds.values.sorted(by: { $0.seconds > $1.seconds }) {
            Swift.print(text(kind, of: total.seconds))
        }
        try printLine(Line(network: network, rows: rows + [total]))
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func text(_ row: Row, of total: Double) -> String {
        let (rate, speed) = (Double(row.operations) / row.seconds, Double(row.bytes) / row.seconds)
        let share = ceilings.operationsPerSecond.map { 100 * rate / $0 }
        return padded(row.shader, 28) + padded(row.shape, 20) + padded(row.division, 38)
            + String(
                format: "%7d %5d %9.1f %6.2f %8.2f %7.0f %7.1f %7.1f %7.1f", row.workgroups, row.calls,
                row.seconds * 1e6, 100 * row.seconds / total, rate / 1e12, speed / 1e9, share ?? 0,
                100 * speed / ceilings.bytesPerSecond, 100 * row.leastSeconds / row.seconds)
    }
}
