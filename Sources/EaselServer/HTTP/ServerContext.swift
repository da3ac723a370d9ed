import HTTPTypes
import Hummingbird
import NIOCore

/// What is known of a request beside its own words.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The address that it came from, without the port.
    let address: String

    init(source: Source) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// Who asks, for fair turns: what the client calls itself, else its address.
    func client(_ request: Request) -> String {
        guard let name = request.headers[HTTPField.Name("Easel-Client")!], !name.isEmpty else {
            return address
        }
        return address + "/" + name.filter { $0.isLetter || $0.isNumber || "-_.".contains($0) }.prefix(64)
    }

    /// A part of the path.
    ///
    /// - Throws: ``APIError`` where it is not text.
    func parameter(_ name: String) throws -> String {
        guard let value = parameters.get(name), let text = value.removingPercentEncoding else {
            throw APIError.notFound("such path")
        }
        return text
    }
}
