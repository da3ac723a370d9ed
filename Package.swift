// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Easel",
    platforms: [.macOS(.v15)],
    products: [
        .library(
            name: "Easel",
            targets: ["Easel", "OpenVINOEngine", "VulkanEngine", "Imaging", "Sampling", "Conditioning"]),
        .library(name: "EaselServer", targets: ["EaselServer"]),
        .library(name: "EaselClient", targets: ["EaselClient"]),
        .executable(name: "easel", targets: ["EaselCommand"]),
        // Loaded by OpenVINO where it is beside the program; without it, all works and some is slower.
        .library(name: "EaselOpenVINOOperations", type: .dynamic, targets: ["OpenVINOOperations"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .target(name: "ProgramFiles"),
        // What a network is, and where its weights come from.
        .target(name: "TensorGraph"),
        .target(name: "CMappedFile", path: "Sources/CMappedFile"),
        .target(name: "CArithmetic", path: "Sources/CArithmetic"),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "Checkpoints", dependencies: ["TensorGraph", "CMappedFile", "CArithmetic", "CZlib"]),
        .target(name: "Networks", dependencies: ["TensorGraph", "Checkpoints"]),

        // From a prompt to a picture.
        .target(name: "Conditioning", dependencies: ["Checkpoints"]),
        .target(name: "Sampling", dependencies: ["Checkpoints"]),
        .systemLibrary(
            name: "CPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
        .target(name: "CPNGShim", dependencies: ["CPNG"], path: "Sources/CPNGShim"),
        .systemLibrary(
            name: "CJPEG", pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg62-turbo-dev"]), .brew(["jpeg-turbo"])]),
        .target(name: "CJPEGShim", dependencies: ["CJPEG"], path: "Sources/CJPEGShim"),
        .systemLibrary(
            name: "CWebP", pkgConfig: "libwebpdemux",
            providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
        .target(name: "Imaging", dependencies: ["CPNGShim", "CJPEGShim", "CWebP"]),

        // What computes a network.
        .target(
            name: "EngineInterface", dependencies: ["TensorGraph", "Checkpoints"],
            path: "Sources/Engines/Interface"),
        .target(
            name: "ReferenceEngine", dependencies: ["EngineInterface", "TensorGraph", "Checkpoints"],
            path: "Sources/Engines/Reference"),
        .systemLibrary(
            name: "COpenVINO", path: "Sources/Engines/COpenVINO", pkgConfig: "openvino",
            providers: [.apt(["libopenvino-dev"]), .brew(["openvino"])]),
        .target(
            name: "COpenVINOLoader", dependencies: ["COpenVINO"],
            path: "Sources/Engines/COpenVINOLoader",
            cSettings: [
                .define("EASEL_OPENVINO_DIRECTORY", to: "\"\(Context.packageDirectory)/.openvino/lib\"")
            ]),
        .target(
            name: "OpenVINOOperations", dependencies: ["COpenVINO"],
            path: "Sources/Engines/OpenVINOOperations",
            linkerSettings: [.linkedLibrary("openvino")]),
        .target(
            name: "OpenVINOEngine",
            dependencies: ["EngineInterface", "TensorGraph", "Checkpoints", "COpenVINOLoader"],
            path: "Sources/Engines/OpenVINO"),
        .plugin(name: "CompileShaders", capability: .buildTool()),
        .target(name: "CVulkanLoader", path: "Sources/Engines/CVulkanLoader"),
        .target(
            name: "VulkanEngine",
            dependencies: ["EngineInterface", "TensorGraph", "Checkpoints", "CVulkanLoader", "ProgramFiles"],
            path: "Sources/Engines/Vulkan", exclude: ["Shaders"], plugins: ["CompileShaders"]),
        .target(
            name: "EngineConformance",
            dependencies: ["EngineInterface", "ReferenceEngine", "TensorGraph", "Checkpoints"]),

        // The public API and the tool.
        .target(
            name: "Easel",
            dependencies: [
                "TensorGraph", "Checkpoints", "Networks", "Conditioning", "Sampling", "Imaging",
                "EngineInterface", "ProgramFiles", .product(name: "SwiftCSV", package: "SwiftCSV"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(
            name: "EaselHub",
            dependencies: [
                "Checkpoints", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        // What the server and its clients read of each other's bytes.
        .target(name: "WebFormats"),
        .target(
            name: "EaselServer",
            dependencies: [
                "Easel", "EaselHub", "Checkpoints", "Conditioning", "Sampling", "Imaging", "EngineInterface",
                "WebFormats", "ProgramFiles",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .copy("Studio/Assets"), .copy("EaselAPI/openapi.json"), .copy("A1111API/a1111-openapi.json"),
            ]),
        .target(
            name: "EaselClient",
            dependencies: [
                "WebFormats",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "EaselCommand",
            dependencies: [
                "Easel", "EaselHub", "EaselServer", "EngineInterface", "OpenVINOEngine", "ProgramFiles",
                "VulkanEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),

        .executableTarget(
            name: "UNetStep",
            dependencies: ["Networks", "Checkpoints", "TensorGraph", "EngineInterface", "OpenVINOEngine"],
            path: "Benchmarks/UNetStep"),
        .executableTarget(
            name: "LoRATime", dependencies: ["Networks", "Checkpoints"], path: "Benchmarks/LoRATime"),
        .executableTarget(
            name: "LoRAChange", dependencies: ["Easel", "OpenVINOEngine", "EngineInterface"],
            path: "Benchmarks/LoRAChange"),
        .executableTarget(
            name: "LatentDistance",
            dependencies: [
                "Easel", "OpenVINOEngine", "EngineInterface", "Checkpoints", "Imaging", "Sampling",
            ],
            path: "Benchmarks/LatentDistance"),
        .executableTarget(
            name: "OpenTime", dependencies: ["Easel", "OpenVINOEngine", "Checkpoints"],
            path: "Benchmarks/OpenTime"),
        .executableTarget(
            name: "SamplerTime", dependencies: ["Sampling", "Checkpoints"], path: "Benchmarks/SamplerTime"),
        .executableTarget(
            name: "VulkanStep",
            dependencies: [
                "Easel", "EngineConformance", "VulkanEngine", "EngineInterface", "Checkpoints", "TensorGraph",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/VulkanStep"),

        // What any bytes must be met with; Fuzz/run.sh searches for bytes that are not.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "TensorGraph", "Checkpoints", "Networks", "Conditioning", "Imaging", "Easel", "EaselHub",
                "WebFormats",
            ],
            path: "Fuzz/Targets"),

        .testTarget(name: "TensorGraphTests", dependencies: ["TensorGraph"]),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "CArithmetic", "TensorGraph"]),
        .testTarget(
            name: "NetworksTests",
            dependencies: [
                "Networks", "TensorGraph", "Checkpoints", "EngineInterface", "EngineConformance",
                "ReferenceEngine", "OpenVINOEngine",
            ]),
        .testTarget(name: "ConditioningTests", dependencies: ["Conditioning", "Checkpoints"]),
        .testTarget(name: "SamplingTests", dependencies: ["Sampling", "Checkpoints", "TensorGraph"]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging"], exclude: ["Fixtures"]),
        .testTarget(
            name: "ReferenceEngineTests",
            dependencies: [
                "ReferenceEngine", "EngineConformance", "EngineInterface", "TensorGraph", "Checkpoints",
            ]),
        .testTarget(
            name: "OpenVINOEngineTests",
            dependencies: [
                "OpenVINOEngine", "EngineConformance", "EngineInterface", "ReferenceEngine", "TensorGraph",
                "Checkpoints",
            ]),
        .testTarget(
            name: "VulkanEngineTests",
            dependencies: [
                "VulkanEngine", "EngineConformance", "EngineInterface", "TensorGraph", "Checkpoints",
            ]),
        .testTarget(
            name: "EaselTests",
            dependencies: [
                "Easel", "OpenVINOEngine", "ReferenceEngine", "VulkanEngine", "EngineInterface", "Networks",
                "Checkpoints", "Conditioning", "Sampling", "Imaging", "TensorGraph",
            ]),
        .testTarget(
            name: "EaselHubTests",
            dependencies: [
                "EaselHub", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .testTarget(name: "WebFormatsTests", dependencies: ["WebFormats"]),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
        .testTarget(name: "EaselCommandTests", dependencies: ["Imaging"]),
        .testTarget(
            name: "EaselServerTests",
            dependencies: [
                "EaselServer", "EaselClient", "Checkpoints", "Imaging",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], exclude: ["Faults/faults.c"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// Fuzz/run.sh looks for inputs that reach new code of this package, not of those it depends on.
if Context.environment["EASEL_FUZZ"] != nil {
    for target in package.targets where target.type == .regular {
        target.swiftSettings = [.unsafeFlags(["-sanitize=fuzzer,address"])]
        target.cSettings = (target.cSettings ?? []) + [.unsafeFlags(["-fsanitize=fuzzer-no-link"])]
    }
}

// `make test` sets this: what computes is optimized, or tests would wait for loops over pixels and weights.
if Context.environment["EASEL_OPTIMIZED_TESTS"] != nil {
    let computing = [
        "TensorGraph", "CArithmetic", "Checkpoints", "Networks", "Conditioning", "Sampling", "Imaging",
        "EngineInterface", "ReferenceEngine", "OpenVINOOperations", "OpenVINOEngine", "VulkanEngine",
        "EngineConformance", "Easel",
    ]
    for target in package.targets where computing.contains(target.name) {
        target.swiftSettings = [.unsafeFlags(["-O"])]
        target.cSettings = [.unsafeFlags(["-O2"])]
        target.cxxSettings = [.unsafeFlags(["-O2"])]
    }
}
