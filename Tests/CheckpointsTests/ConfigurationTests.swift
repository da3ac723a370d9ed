import Foundation
import Testing

@testable import Checkpoints

@Suite struct ConfigurationTests {
    private let configuration: Configuration

    init() throws {
        let text = """
            {"layers": 12, "huge": 1000000000, "zero": 0, "fraction": 8.0, "large": 10000000000000000000,
             "eps": 1e-5, "low": -Infinity, "flag": true, "name": "silu", "nothing": null,
             "channels": [320, 640], "mixed": [1, "x"], "texts": ["a", "b"], "shift": [0.5, -1],
             "text_config": {"hidden_size": "768"}}
            """
        let value = try JSONValue(parsing: Array(text.utf8), named: "config.json", dialect: .python)
        configuration = Configuration(try #require(value.objectValue), path: "unet/config.json")
    }

    private func message(_ read: () throws -> some Any) -> String {
        do {
            return "no error, but \(try read())"
        } catch {
            return "\(error)"
        }
    }

    @Test func readsValuesOfEachType() throws {
        #expect(try configuration.integer("layers", in: 1...100) == 12)
        #expect(try configuration.number("eps", in: 0...1) == 1e-5)
        #expect(try configuration.number("layers", in: 0...100) == 12)
        #expect(try configuration.number("low", in: -.infinity...0) == -.infinity)
        #expect(try configuration.bool("flag"))
        #expect(try configuration.string("name") == "silu")
        #expect(try configuration.integers("channels", in: 1...1280) == [320, 640])
        #expect(try configuration.strings("texts") == ["a", "b"])
        #expect(try configuration.numbers("shift", in: -1...1) == [0.5, -1])
        #expect(configuration.has("layers"))
    }

    @Test func takesNullForAbsent() throws {
        for key in ["nothing", "absent"] {
            #expect(!configuration.has(key))
            #expect(try configuration.integer(key, default: 7, in: 0...9) == 7)
            #expect(try configuration.number(key, default: 0.5, in: 0...9) == 0.5)
            #expect(try configuration.bool(key, default: true))
            #expect(try configuration.string(key, default: "x") == "x")
            #expect(try configuration.strings(key, default: ["x"]) == ["x"])
            #expect(try configuration.integers(key, default: [1], in: 0...9) == [1])
            #expect(try configuration.integersOrOne(key, count: 2, default: [3, 4], in: 0...9) == [3, 4])
            #expect(try configuration.optionalString(key) == nil)
            #expect(try configuration.optionalInteger(key, in: 0...9) == nil)
            #expect(try configuration.optionalNumber(key, in: 0...9) == nil)
            #expect(try configuration.object(key) == nil)
            #expect(throws: ConfigurationError.self) { try configuration.integer(key, in: 0...9) }
            #expect(throws: ConfigurationError.self) { try configuration.integers(key, in: 0...9) }
        }
    }

    @Test func readsOneIntegerForSeveral() throws {
        #expect(try configuration.integersOrOne("layers", count: 3, in: 1...100) == [12, 12, 12])
        #expect(try configuration.integersOrOne("channels", count: 2, in: 1...1280) == [320, 640])
        #expect(throws: ConfigurationError.self) {
            try configuration.integersOrOne("channels", count: 3, in: 1...1280)
        }
        #expect(throws: ConfigurationError.self) {
            try configuration.integersOrOne("channels", count: 2, in: 1...500)
        }
    }

    // C3, the part of ranges
    @Test func refusesValuesOutOfRange() {
        #expect(
            message { try configuration.integer("huge", in: 1...1000) }
                == "unet/config.json: \"huge\" must be a whole number from 1 to 1000, but is 1000000000")
        #expect(
            message { try configuration.integer("zero", in: 1...1000) }
                == "unet/config.json: \"zero\" must be a whole number from 1 to 1000, but is 0")
        #expect(
            message { try configuration.integer("large", in: 0...Int.max) }.hasSuffix(
                "but is 10000000000000000000"))
        #expect(
            message { try configuration.number("eps", in: 1...2) }.hasSuffix("from 1.0 to 2.0, but is 1e-5"))
    }

    @Test func refusesOtherTypes() {
        #expect(
            message { try configuration.integer("fraction", in: 1...1000) }
                == "unet/config.json: \"fraction\" must be a whole number from 1 to 1000, but is 8.0")
        #expect(
            message { try configuration.bool("name") }
                == "unet/config.json: \"name\" must be true or false, but is the text \"silu\"")
        #expect(message { try configuration.string("flag") }.hasSuffix("must be a text, but is true"))
        #expect(
            message { try configuration.integers("mixed", in: 0...9) }
                == "unet/config.json: \"mixed[1]\" must be a whole number from 0 to 9, but is the text \"x\"")
        #expect(message { try configuration.integers("layers", in: 0...9) }.hasSuffix("but is 12"))
        #expect(message { try configuration.object("layers") }.hasSuffix("must be an object, but is 12"))
        #expect(
            message { try configuration.string("absent") }
                == "unet/config.json: \"absent\" is missing; it must be a text")
    }

    @Test func namesTheKeysAroundAKey() throws {
        let inner = try #require(try configuration.object("text_config"))
        #expect(
            message { try inner.integer("hidden_size", in: 1...4096) }
                == "unet/config.json: \"text_config.hidden_size\" must be a whole number from 1 to 4096, "
                + "but is the text \"768\"")
    }

    @Test func refusesDocumentsThatAreNotObjects() throws {
        let folder = try TemporaryFolder()
        let url = try folder.write("[1]", to: "config.json")
        #expect(throws: ConfigurationError.self) { try Configuration(contentsOf: url) }
    }

    @Test func escapesTextsInMessages() throws {
        let value = try JSONValue(parsing: Array(#"{"a": "\u001b[31m"}"#.utf8), named: "")
        let hostile = Configuration(try #require(value.objectValue), path: "config.json")
        #expect(!message { try hostile.bool("a") }.contains("\u{1b}"))
    }
}
