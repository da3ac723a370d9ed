public let easelVersion = "0.1.0"
