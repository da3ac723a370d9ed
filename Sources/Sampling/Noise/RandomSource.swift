/// Which of PyTorch's generators noise is drawn from: the same seed gives other noise in each.
public enum RandomSource: String, Sendable, Hashable, CaseIterable {
    /// `torch.Generator("cpu")`: diffusers' examples, ComfyUI.
    case torchCPU = "torch-cpu"
    /// `torch.Generator("cuda")`: AUTOMATIC1111 and stable-diffusion.cpp, unless told otherwise.
    case torchCUDA = "torch-cuda"

    func generator(seed: UInt64) -> any NormalGenerator {
        switch self {
        case .torchCPU: NoiseGenerator(seed: seed)
        case .torchCUDA: PhiloxGenerator(seed: seed)
        }
    }
}

/// A source of standard normal values.
protocol NormalGenerator: Sendable {
    mutating func normal(count: Int) -> [Float]
}

extension NoiseGenerator: NormalGenerator {}
extension PhiloxGenerator: NormalGenerator {}
