import ArgumentParser
import VulkanEngine

/// Which kernels it is printed of what the driver's compiler made of them.
struct KernelOptions: ParsableArguments {
    enum Kernels: String, ExpressibleByArgument {
        case cooperative, all
    }

    @Option(
        defaultAsFlag: .cooperative,
        help: "Print what the driver's compiler made of kernels: of those of cooperative matrices, or of all."
    )
    var kernels: Kernels?

    /// Prints a line for each kernel that was made: its shader, its constants, and what the driver says.
    func printTable(_ engine: VulkanEngine) {
        guard let kernels else { return }
        let made = engine.kernelStatistics()
        print("kernels, as the driver's compiler made them")
        if made.isEmpty { print("the driver says nothing of kernels") }
        let chosen = made.filter { kernels == .all || $0.shader.contains("cooperative") }
        if chosen.isEmpty, !made.isEmpty { print("none of the \(made.count) is of cooperative matrices") }
        for kernel in chosen {
            let constants = kernel.constants.map(String.init).joined(separator: " ")
            let statistics = kernel.statistics.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            print("\(kernel.shader) [\(constants)] \(statistics)")
        }
    }
}
