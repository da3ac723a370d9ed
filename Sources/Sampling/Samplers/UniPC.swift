import Foundation

/// Unified predictor-corrector, a multistep method of order 2 in log σ: Zhao et al., 2023, with B₂(h) or B₁(h);
/// diffusers' `UniPCMultistepScheduler`.
struct UniPC: UpdateRule {
    /// The function B(h) of the paper's section 3.1.
    enum Form: Sendable {
        /// h
        case first
        /// e^h − 1
        case second
    }

    var form = Form.second
    var order = 2
    /// Whether the last steps are of lower order.
    var lowerOrderFinal = true
    /// Pictures, and the levels they were seen at, newest last.
    private var history: [(denoised: Latents, sigma: Double)] = []
    /// What the last step started from, and of which order it was.
    private var lastStep: (latents: Latents, order: Int)?

    init(form: Form = .second, order: Int = 2, lowerOrderFinal: Bool = true) {
        self.form = form
        self.order = order
        self.lowerOrderFinal = lowerOrderFinal
    }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        var corrected = latents
        if let lastStep {
            corrected = advanced(
                lastStep.latents, to: interval.sigma, order: lastStep.order, knowing: denoised)
        }
        history = history.suffix(order - 1) + [(denoised, interval.sigma)]
        let left = lowerOrderFinal ? interval.count - interval.index : order
        let order = min(order, left, history.count)
        lastStep = (corrected, order)
        return Update(advanced(corrected, to: interval.next, order: order, knowing: nil), denoised: denoised)
    }

    /// From the last level of the history to another: the predictor, or the corrector where the picture seen at the
    /// end is known (equations 3 and 9).
    private func advanced(
        _ latents: Latents, to next: Double, order: Int, knowing atEnd: Latents?
    ) -> Latents {
        let (denoised, sigma) = history[history.count - 1]
        let first = interpolated(latents, denoised, by: next / sigma)
        guard next > 0 else { return first }
        let step = log(sigma / next)
        let earlier = history.dropLast().suffix(order - 1).reversed()
        var places = earlier.map { log(sigma / $0.sigma) / step }
        var slopes = zip(earlier, places).map { ($0.denoised - denoised) / Float($1) }
        if let atEnd {
            places.append(1)
            slopes.append(atEnd - denoised)
        }
        guard !places.isEmpty else { return first }
        let scale = form == .first ? -step : expm1(-step)
        let weights = weights(places: places, step: step, scale: scale)
        return zip(weights, slopes).reduce(first) { sum, term in
            sum - Float(scale * term.0) * term.1
        }
    }

    /// The weights of the slopes: the solution of the paper's equation 5, with the two shortcuts of its appendix.
    private func weights(places: [Double], step: Double, scale: Double) -> [Double] {
        guard places.count > 1 else { return [0.5] }
        var (phi, factorial) = (expm1(-step) / -step - 1, 1.0)
        var matrix: [[Double]] = []
        for power in places.indices {
            matrix.append(places.map { pow($0, Double(power)) } + [phi * factorial / scale])
            factorial *= Double(power + 2)
            phi = phi / -step - 1 / factorial
        }
        return solution(of: matrix)
    }
}

/// The solution of linear equations, each row ending with its right side: Gauss's elimination with pivots.
private func solution(of equations: [[Double]]) -> [Double] {
    var rows = equations
    for column in rows.indices {
        let pivot = (column..<rows.count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
        rows.swapAt(column, pivot)
        for row in rows.indices where row != column {
            let factor = rows[row][column] / rows[column][column]
            for place in column...rows.count { rows[row][place] -= factor * rows[column][place] }
        }
    }
    return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
}
