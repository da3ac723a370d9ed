/// A certificate for this machine that nobody vouches for, with its key, made for these tests:
///
///     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=Easel's tests" \
///         -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -addext "basicConstraints=critical,CA:TRUE"
enum TestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBozCCAUmgAwIBAgIUCK86zKgkBnj1H1kKj3CVZqkceaEwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNRWFzZWwncyB0ZXN0czAgFw0yNjExMjYxODQxMzlaGA8yMTI2
        MTEwMjE4NDEzOVowGDEWMBQGA1UEAwwNRWFzZWwncyB0ZXN0czBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABPI8/J16/tqOp6YFJJQgeaR9Cb8RXdxt52AeRURKWQA5
        /wo8wxrBeljyfSEqzbIb6WHh8thXXavtloD+tJWlFG+jbzBtMB0GA1UdDgQWBBQr
        hXplbIcMUdko06zuiRZCiw4HNTAfBgNVHSMEGDAWgBQrhXplbIcMUdko06zuiRZC
        iw4HNTAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwDwYDVR0TAQH/BAUwAwEB
        /zAKBggqhkjOPQQDAgNIADBFAiAUZYF90HgEgwtd9ul34h+w8nFisaE5/z21DrSb
        CAqEJAIhAPUCFJXRZOO612ANxDgxWY+2QK+W/r+FIrCHju+Tact3
        -----END CERTIFICATE-----

        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxKi+o2TiUk8TeoK5
        PmB9NZXJ+Rh3lXH6LoSNlf4fO5ihRANCAATyPPydev7ajqemBSSUIHmkfQm/EV3c
        bedgHkVESlkAOf8KPMMawXpY8n0hKs2yG+lh4fLYV12r7ZaA/rSVpRRv
        -----END PRIVATE KEY-----

        """
}
