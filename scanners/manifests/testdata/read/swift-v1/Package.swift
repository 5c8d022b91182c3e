// swift-tools-version:5.5
import PackageDescription

let package = Package(
    name: "app",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.0.0"),
        // .package(url: "https://github.com/apple/swift-log.git", from: "1.0.0"),
        .package(
            url: "https://github.com/apple/swift-crypto",
            .exact("1.1.0")
        ),
        .package(path: "../local"),
    ]
)
