/// The timesteps of models distilled to few steps: Luo et al., "Latent Consistency Models", 2023, section 4.3.
///
/// Those of the teacher's 50 steps, of which so many are picked, evenly.
enum ConsistencyTimesteps {
    static let teacherSteps = 50

    /// - Returns: Whole timesteps, noisiest first.
    /// - Throws: ``SamplingError/stepsOutOfRange(steps:maximum:)``.
    static func timesteps(_ configuration: SchedulerConfiguration, steps: Int) throws -> [Int] {
        let teacher = min(teacherSteps, configuration.trainTimesteps)
        guard (1...teacher).contains(steps) else {
            throw SamplingError.stepsOutOfRange(steps: steps, maximum: teacher)
        }
        let stride = configuration.trainTimesteps / teacher
        return (0..<steps).map { (teacher - $0 * teacher / steps) * stride - 1 }
    }
}
