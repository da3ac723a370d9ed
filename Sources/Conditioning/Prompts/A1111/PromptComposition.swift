/// AUTOMATIC1111's composition: `a cat :1.2 AND a dog`, each part with a weight of its own.
public enum PromptComposition {
    /// The parts of a prompt and their weights; one of weight 1 where there is no `AND`.
    public static func parts(of prompt: String) -> [(text: String, weight: Float)] {
        prompt.split(separator: #/\bAND\b/#, omittingEmptySubsequences: false).map { part in
            guard let match = part.wholeMatch(of: #/(?s)(.*?)\s*:\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*/#),
                let weight = Float(match.2), weight.isFinite
            else { return (String(part), 1) }
            return (String(match.1), weight)
        }
    }
}
