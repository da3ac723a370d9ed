import Hummingbird
import Logging

/// Which path leads where.
struct ServerRouter {
    let router: Router<ServerContext>

    init(_ configuration: ServerConfiguration, _ parts: ServerParts, _ logger: Logger) {
        router = Router(context: ServerContext.self, options: [.autoGenerateHeadEndpoints])
        let queue = parts.queue
        let pictures = PictureRoutes(
            gallery: parts.gallery, uploads: parts.uploads, files: parts.files,
            thumbnails: parts.thumbnails, limits: queue.limits)
        let catalogue = CatalogueRoutes(queue: queue)
        func addRoutes(to router: Router<ServerContext>) {
            HealthRoutes(queue: queue).add(to: router)
            StudioRoutes(
                queue: queue, catalogue: catalogue, gallery: parts.gallery, token: configuration.token
            ).add(to: router)
            DescriptionRoutes(metrics: configuration.metrics, queue: queue, streams: parts.streams).add(
                to: router)
            let webUI = router.group("sdapi/v1")
            A1111GenerationRoutes(
                queue: queue, uploads: parts.uploads, files: parts.files, options: parts.options,
                styles: parts.styles,
                remote: configuration.allowsRemotePictures
                    ? RemotePicture(limit: queue.limits.bodyBytes) : nil
            ).add(to: webUI)
            A1111CatalogueRoutes(queue: queue, options: parts.options, styles: parts.styles).add(to: webUI)
            A1111ProgressRoutes(queue: queue).add(to: webUI, internals: router.group("internal"))
            A1111ExtrasRoutes(limits: queue.limits).add(to: webUI)
            OpenAIRoutes(
                queue: queue, streams: parts.streams, uploads: parts.uploads, files: parts.files,
                needsToken: configuration.token != nil
            ).add(to: router.group("v1"))
            let api = router.group("api/v1")
            JobRoutes(queue: queue, streams: parts.streams).add(to: api)
            pictures.add(to: api)
            catalogue.add(to: api)
        }
        // Registered twice: once to know them all.
        let known = Router(context: ServerContext.self)
        addRoutes(to: known)
        let routes = KnownRoutes(known.routes.map { ($0.path.description, $0.method) })
        let origins = Set(configuration.allowedOrigins)
        router.add(middleware: RequestMetrics())
        router.add(middleware: AnswerHeaders(origins: origins))
        router.add(middleware: ErrorResponses(routes: routes, logger: logger))
        router.add(
            middleware: HostCheck(
                names: Set((configuration.allowedHosts + [configuration.host]).map { $0.lowercased() }),
                isLoopback: configuration.isLoopback, origins: origins))
        router.add(middleware: TokenCheck(token: configuration.token))
        addRoutes(to: router)
    }
}
