import CoreMetrics
import Synchronization

/// What is counted and measured, as Prometheus's text format tells it (version 0.0.4).
public final class PrometheusMetrics: MetricsFactory, Sendable {
    private struct Key: Hashable, Comparable {
        let name: String
        let labels: String

        static func < (left: Key, right: Key) -> Bool {
            (left.name, left.labels) < (right.name, right.labels)
        }
    }

    private struct State {
        var counters: [Key: Double] = [:]
        var gauges: [Key: Double] = [:]
        var summaries: [Key: Summary] = [:]
    }

    private struct Summary {
        var count = 0
        var sum = 0.0
        /// How many were at most each of ``bounds``.
        var buckets = [Int](repeating: 0, count: PrometheusMetrics.bounds.count)
    }

    /// Of durations, in seconds.
    private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
    private let state = Mutex(State())

    public init() {}

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(key: Self.key(label, dimensions), metrics: self)
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        Handler(key: Self.key(label, dimensions), metrics: self)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(key: Self.key(label, dimensions), metrics: self)
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// All of it as text.
    public var text: String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        func add(_ values: [Key: Double], _ type: String) {
            for (name, entries) in Dictionary(grouping: values, by: \.key.name).sorted(by: { $0.key < $1.key }
            ) {
                lines.append("# TYPE \(name) \(type)")
                for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                    lines.append("\(name)\(Self.braced(key.labels)) \(Self.number(value))")
                }
            }
        }
        add(state.counters, "counter")
        add(state.gauges, "gauge")
        for (name, entries) in Dictionary(grouping: state.summaries, by: \.key.name).sorted(by: {
            $0.key < $1.key
        }) {
            lines.append("# TYPE \(name) histogram")
            for (key, summary) in entries.sorted(by: { $0.key < $1.key }) {
                let labels = key.labels.isEmpty ? "" : key.labels + ","
                for (bound, count) in zip(Self.bounds, summary.buckets) {
                    lines.append("\(name)_bucket{\(labels)le=\"\(Self.number(bound))\"} \(count)")
                }
                lines.append("\(name)_bucket{\(labels)le=\"+Inf\"} \(summary.count)")
                lines.append("\(name)_sum\(Self.braced(key.labels)) \(Self.number(summary.sum))")
                lines.append("\(name)_count\(Self.braced(key.labels)) \(summary.count)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    /// Names have letters, digits and underscores; values of labels are quoted.
    private static func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
        func name(_ text: String) -> String {
            String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        }
        let labels = dimensions.map { dimension in
            let value = dimension.1.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: "\\n")
            return "\(name(dimension.0))=\"\(value)\""
        }
        return Key(name: name(label), labels: labels.joined(separator: ","))
    }

    private final class Handler: CounterHandler, RecorderHandler, TimerHandler, Sendable {
        private let key: Key
        private let metrics: PrometheusMetrics

        init(key: Key, metrics: PrometheusMetrics) {
            self.key = key
            self.metrics = metrics
        }

        func increment(by amount: Int64) {
            metrics.state.withLock { $0.counters[key, default: 0] += Double(amount) }
        }

        func reset() { metrics.state.withLock { $0.counters[key] = 0 } }

        func record(_ value: Int64) { record(Double(value)) }

        func record(_ value: Double) { metrics.state.withLock { $0.gauges[key] = value } }

        func recordNanoseconds(_ duration: Int64) {
            let seconds = Double(duration) / 1e9
            metrics.state.withLock { state in
                var summary = state.summaries[key] ?? Summary()
                summary.count += 1
                summary.sum += seconds
                for (index, bound) in PrometheusMetrics.bounds.enumerated() where seconds <= bound {
                    summary.buckets[index] += 1
                }
                state.summaries[key] = summary
            }
        }
    }
}
