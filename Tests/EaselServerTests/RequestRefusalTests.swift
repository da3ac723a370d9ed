import Foundation
import Testing

/// What no request may do, whoever sends it (cases H of bad input).
@Suite struct RequestRefusalTests {
    private static func withServer(
        _ options: [String] = [], _ test: (RunningServer) async throws -> Void
    ) async throws {
        let server = try await RunningServer(options)
        try await test(server)
    }

    @Test("H1: a body over the limit is refused without being read")
    func bodyOverTheLimit() async throws {
        try await Self.withServer(["--max-body", "2000"]) { server in
            let small = try await server.post("/api/v1/tokens", #"{"text": "a"}"#)
            #expect(small.status == 200)
            let head = "POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            // A gigabyte is announced, and none of it is sent.
            let announced = try await RawConnection.exchange(
                server.port, head + "Content-Length: 1000000000\r\n\r\n")
            #expect(announced.hasPrefix("HTTP/1.1 413"))
            #expect(announced.lowercased().contains("connection: close"))
            let chunk = "800\r\n" + String(repeating: " ", count: 2048) + "\r\n"
            let unannounced = try await RawConnection.exchange(
                server.port, head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk)
            #expect(unannounced.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test("H2: a length beside chunks is refused, and the connection ends")
    func twoLengths() async throws {
        try await Self.withServer { server in
            let answer = try await RawConnection.exchange(
                server.port,
                "POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                    + "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
        }
    }

    @Test("H3: a request that does not come on is ended with 408")
    func slowRequest() async throws {
        try await Self.withServer { server in
            let clock = ContinuousClock()
            let start = clock.now
            async let head = RawConnection.exchange(
                server.port, [Array("GET / HT".utf8)], patience: .seconds(20))
            async let body = RawConnection.exchange(
                server.port,
                "POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 100\r\n\r\n{", patience: .seconds(20))
            let answers = try await [head, body]
            for answer in answers { #expect(answer.hasPrefix("HTTP/1.1 408")) }
            #expect(start.duration(to: clock.now) < .seconds(15))
            // Nobody else is kept waiting.
            #expect(try await server.get("/healthz").status == 200)
        }
    }

    @Test("H4: a wrong type is 415, a wrong method 405 with those that there are")
    func wrongTypeAndMethod() async throws {
        try await Self.withServer { server in
            let type = try await server.ask(
                .POST, "/api/v1/jobs", bytes: Array("{}".utf8), headers: [("content-type", "text/plain")])
            #expect(type.status == 415)
            #expect(try type.text("error", "code") == "unsupported_media_type")
            let method = try await server.ask(.PUT, "/api/v1/jobs")
            #expect(method.status == 405)
            #expect(method.headers["allow"] == ["GET, POST"])
            #expect(try await server.get("/api/v1/no-such-path").status == 404)
            #expect(try await server.ask(.HEAD, "/healthz").status == 200)
        }
    }

    @Test("H5: another host's name is refused; one that is allowed is not")
    func hosts() async throws {
        try await Self.withServer(["--allow-host", "Easel.Example"]) { server in
            for (host, status) in [
                ("evil.test", 421), ("evil.test:\(server.port)", 421), ("127.0.0.1.evil.test", 421),
                ("", 421), ("192.168.1.1", 421), ("[::1", 421), ("localhost:99999", 421),
                ("localhost", 200), ("LOCALHOST:\(server.port)", 200), ("[::1]:\(server.port)", 200),
                ("easel.example", 200), ("127.0.0.1", 200),
            ] {
                let answer = try await RawConnection.exchange(
                    server.port, "GET /healthz HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(host): \(answer.prefix(40))")
            }
        }
    }

    @Test("H6, H7: pages of other origins change nothing, and may read nothing")
    func origins() async throws {
        try await Self.withServer(["--allow-origin", "https://good.test"]) { server in
            let own = "http://127.0.0.1:\(server.port)"
            for (origin, status) in [
                ("https://evil.test", 403), ("null", 403), ("http://127.0.0.1:1", 403), (own, 200),
                ("https://good.test", 200),
            ] as [(String, UInt)] {
                let answer = try await server.ask(
                    .POST, "/api/v1/tokens", json: #"{"text": "a"}"#, headers: [("origin", origin)])
                #expect(answer.status == status, "\(origin)")
            }
            let navigated = try await server.ask(
                .POST, "/api/v1/tokens", json: #"{"text": "a"}"#, headers: [("sec-fetch-site", "cross-site")])
            #expect(navigated.status == 403)
            let foreign = try await server.ask(
                .GET, "/api/v1/status", headers: [("origin", "https://evil.test")])
            #expect(foreign.headers["access-control-allow-origin"].isEmpty)
            let allowed = try await server.ask(
                .GET, "/api/v1/status", headers: [("origin", "https://good.test")])
            #expect(allowed.headers["access-control-allow-origin"] == ["https://good.test"])
        }
    }

    @Test("Texts are as long as their scalars are many, not as the signs that they are seen as")
    func longTexts() async throws {
        let server = try await RunningServer()
        let tone = "\u{1F3FB}"
        let most = String(repeating: tone, count: 20_000)
        #expect(most.count < 20_000)
        for path in ["tokens", "jobs"] {
            let field = path == "tokens" ? "text" : "prompt"
            let refused = try await server.post("/api/v1/\(path)", "{\"\(field)\": \"\(most)\(tone)\"}")
            #expect(refused.status == 400, "\(path)")
            #expect(try refused.text("error", "field") == field)
        }
        #expect(try await server.post("/api/v1/tokens", "{\"text\": \"\(most)\"}").status == 200)
    }

    @Test("H8: without the token there is nothing but the login and whether the server lives")
    func tokens() async throws {
        let token = "correct horse battery staple"
        let server = try await RunningServer(environment: ["EASEL_TOKEN": token])
        for path in ["/api/v1/status", "/sdapi/v1/options", "/v1/models", "/metrics"] {
            let answer = try await server.get(path)
            #expect(answer.status == 401, "\(path)")
            #expect(!answer.headers["www-authenticate"].isEmpty)
            #expect(!answer.text.contains(token))
            for wrong in ["Bearer wrong", "Bearer", "Basic ====", "Bearer \(token) "] {
                let refused = try await server.ask(.GET, path, headers: [("authorization", wrong)])
                #expect(refused.status == 401 || wrong.hasSuffix(" "), "\(path) \(wrong)")
            }
        }
        #expect(try await server.get("/healthz").status == 200)
        let bearer = [("authorization", "Bearer \(token)")]
        #expect(try await server.ask(.GET, "/api/v1/status", headers: bearer).status == 200)
        let basic = Data("anyone:\(token)".utf8).base64EncodedString()
        #expect(
            try await server.ask(.GET, "/sdapi/v1/options", headers: [("authorization", "Basic \(basic)")])
                .status
                == 200)
        // The login sets a cookie that is not the token.
        let form = "token=" + token.replacingOccurrences(of: " ", with: "+")
        let login = try await RawConnection.exchange(
            server.port,
            "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                + "Content-Length: \(form.utf8.count)\r\n\r\n\(form)")
        let cookie = try #require(login.firstMatch(of: /(?i)set-cookie: (easel_session=[0-9a-f]+); (.*)/))
        #expect(!login.contains("battery"))
        #expect(cookie.2.contains("HttpOnly") && cookie.2.contains("SameSite=Strict"))
        #expect(
            try await server.ask(.GET, "/api/v1/status", headers: [("cookie", String(cookie.1))]).status
                == 200)
        // Behind a proxy whose own password browsers send along, too; and not without the cookie.
        let proxy = ("authorization", "Basic \(Data("me:of the proxy".utf8).base64EncodedString())")
        let both = [proxy, ("cookie", String(cookie.1))]
        #expect(try await server.ask(.GET, "/api/v1/status", headers: both).status == 200)
        #expect(try await server.ask(.GET, "/api/v1/status", headers: [proxy]).status == 401)
    }

    @Test("H9: no path of a request leads to a file")
    func paths() async throws {
        try await Self.withServer { server in
            // A file beside the pictures, and a link to it among them.
            let secret = server.folder.appending(path: "secret.png")
            try Data("secret".utf8).write(to: secret)
            let link = server.folder.appending(path: "pictures/\(String(repeating: "a", count: 64)).png")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: secret)
            for path in [
                "..%2f..%2fsecret", "%2e%2e%2f%2e%2e%2fsecret", "%252e%252e%252fsecret", "..%5csecret",
                "%00", "secret.png%00", "../../secret", String(repeating: "A", count: 64), "%ff%fe",
                "..", ".", String(repeating: "a", count: 63), String(repeating: "a", count: 65),
            ] {
                for part in ["pictures/\(path)/file", "pictures/\(path)/thumbnail", "uploads/\(path)/file"] {
                    let answer = try await RawConnection.exchange(
                        server.port,
                        "GET /api/v1/\(part) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    #expect(answer.hasPrefix("HTTP/1.1 40"), "\(part): \(answer.prefix(40))")
                    #expect(!answer.contains("secret.png"))
                }
                let studio = try await RawConnection.exchange(
                    server.port,
                    "GET /studio/\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                #expect(studio.hasPrefix("HTTP/1.1 40"))
            }
        }
    }

    @Test("H10: ranges that are not there are 416")
    func ranges() async throws {
        try await Self.withServer { server in
            let job = try await server.job(#"{"prompt": "a red apple", "steps": 1, "seed": 1}"#)
            let id = try #require(try await server.ended(job).text("pictures", "0", "id"))
            let path = "/api/v1/pictures/\(id)/file"
            let whole = try await server.get(path)
            #expect(whole.status == 200 && whole.headers["content-type"] == ["image/png"])
            for wrong in [
                "bytes=9223372036854775807-", "bytes=99999999999999999999-", "bytes=5-2", "bytes=-0",
                "bytes=a-b", "bytes=", "bytes=0-1,3-4",
                "bytes=" + Array(repeating: "0-0", count: 2000).joined(separator: ","),
            ] {
                let answer = try await server.ask(.GET, path, headers: [("range", wrong)])
                #expect(answer.status == 416, "\(wrong.prefix(40))")
                #expect(answer.headers["content-range"] == ["bytes */\(whole.body.count)"])
            }
            // Of a unit that nobody knows, nothing is said.
            let lines = try await server.ask(.GET, path, headers: [("range", "lines=0-1")])
            #expect(lines.status == 200 && lines.body == whole.body)
            let part = try await server.ask(.GET, path, headers: [("range", "bytes=1-3")])
            #expect(part.status == 206 && part.text == "PNG")
            let last = try await server.ask(.GET, path, headers: [("range", "bytes=-4")])
            #expect(last.body == Array(whole.body.suffix(4)))
            let tag = whole.headers["etag"][0]
            #expect(try await server.ask(.GET, path, headers: [("if-none-match", tag)]).status == 304)
        }
    }

    @Test("H11: unknown fields are refused by name, wrong values by theirs")
    func fields() async throws {
        try await Self.withServer { server in
            for (body, code, field) in [
                (#"{"prompt": "a", "stepz": 4}"#, "unknown_field", "stepz"),
                (#"{"prompt": "a", "hires": {"scal": 2}}"#, "unknown_field", "hires.scal"),
                (#"{"prompt": "a", "loras": [{"nam": "x"}]}"#, "unknown_field", "loras.nam"),
                (#"{"steps": 4}"#, "missing_field", "prompt"),
                (#"{"prompt": 1}"#, "invalid", "prompt"), (#"{"prompt": null}"#, "invalid", "prompt"),
                (#"{"prompt": "a", "steps": 0}"#, "invalid", "steps"),
                (#"{"prompt": "a", "steps": -1}"#, "invalid", "steps"),
                (#"{"prompt": "a", "steps": 1000000000}"#, "invalid", "steps"),
                (#"{"prompt": "a", "steps": 2.5}"#, "invalid", "steps"),
                (#"{"prompt": "a", "width": 511}"#, "invalid", "width"),
                (#"{"prompt": "a", "width": 1000000}"#, "invalid", "width"),
                (#"{"prompt": "a", "guidance_scale": 1e308}"#, "invalid", "guidance_scale"),
                (#"{"prompt": "a", "seed": -1}"#, "invalid", "seed"),
                (#"{"prompt": "a", "seed": 18446744073709551616}"#, "invalid", "seed"),
                (#"{"prompt": "a", "seed": 1.5}"#, "invalid", "seed"),
                (#"{"prompt": "a", "seed": "x"}"#, "invalid", "seed"),
                (#"{"prompt": "a", "count": 65}"#, "invalid", "count"),
                (#"{"prompt": "a", "init_image": "../../etc/passwd"}"#, "invalid", "init_image"),
                (#"{"prompt": "a", "mask": "x"}"#, "invalid", "mask"),
                (#"{"prompt": "a", "model": "/etc/passwd"}"#, "unknown_model", "model"),
                (#"{"prompt": "a", "loras": [{"name": "../x"}]}"#, "invalid", "loras"),
                (#"{"prompt": "a", "profile": "x"}"#, "invalid", "profile"),
                (#"{"prompt": "a", "strength": 1.01, "init_image": "x"}"#, "invalid", "strength"),
                (#"{"prompt": "a", "strength": -0.5}"#, "invalid", "strength"),
                (#"{"prompt": "a", "hires": {"scale": 100}}"#, "invalid", "hires.scale"),
                (#"{"prompt": "a", "init_image": "x"}"#, "invalid", "init_image"),
            ] {
                let answer = try await server.post("/api/v1/jobs", body)
                #expect(answer.status == 400, "\(body): \(answer.status)")
                #expect(try answer.text("error", "code") == code, "\(body): \(answer.text)")
                #expect(try answer.text("error", "field") == field, "\(body): \(answer.text)")
            }
            for body in ["", "{", "[]", "1", "{\"prompt\": \"a\", \"prompt\": \"b\"}", "\u{FEFF}{}", "nul"] {
                #expect(try await server.post("/api/v1/jobs", body).status == 400, "\(body)")
            }
            let deep = String(repeating: "[", count: 100_000)
            #expect(try await server.post("/api/v1/jobs", deep).status == 400)
            #expect(try await server.get("/api/v1/jobs?stat=queued").status == 400)
            #expect(try await server.get("/api/v1/pictures?limit=0").status == 400)
        }
    }

    @Test("H12: a key hands a request in once")
    func idempotency() async throws {
        try await Self.withServer { server in
            let key = [("idempotency-key", "abc")]
            let body = #"{"prompt": "a red apple", "steps": 1}"#
            let first = try await server.ask(.POST, "/api/v1/jobs", json: body, headers: key)
            let again = try await server.ask(
                .POST, "/api/v1/jobs", json: #"{ "prompt" : "a red apple",  "steps": 1 }"#, headers: key)
            #expect(first.status == 201 && again.status == 200)
            #expect(try first.text("id") == again.text("id"))
            let other = try await server.ask(
                .POST, "/api/v1/jobs", json: #"{"prompt": "b", "steps": 1}"#, headers: key)
            #expect(other.status == 409)
            let list = try await server.get("/api/v1/jobs").value("jobs")?.arrayValue
            #expect(list?.count == 1)
        }
    }

    @Test("A server that others can reach needs a token")
    func publicHost() async throws {
        await #expect(throws: RunningServer.NotStarted.self) {
            _ = try await RunningServer(["--host", "0.0.0.0"])
        }
        let server = try await RunningServer(["--host", "0.0.0.0", "--token", "x"])
        #expect(try await server.get("/api/v1/status").status == 401)
        // By an address it is known; by a name it is not.
        let answer = try await RawConnection.exchange(
            server.port, "GET /healthz HTTP/1.1\r\nHost: 192.168.7.7\r\nConnection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        let named = try await RawConnection.exchange(
            server.port, "GET /healthz HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")
        #expect(named.hasPrefix("HTTP/1.1 421"))
    }
}
