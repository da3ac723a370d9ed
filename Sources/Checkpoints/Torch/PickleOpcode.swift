/// The pickle instructions that are carried out: those of PyTorch's own reader of weights, `weights_only=True`.
///
/// The names are Python's, in `pickletools`. None of them calls a function or imports a module: what a `GLOBAL` may
/// name is a closed list, ``PickleGlobal``.
enum PickleOpcode: UInt8 {
    case appends = 0x65  // e
    case append = 0x61  // a
    case binFloat = 0x47  // G
    case binGet = 0x68  // h
    case binInt = 0x4A  // J
    case binInt1 = 0x4B  // K
    case binInt2 = 0x4D  // M
    case binPersistentID = 0x51  // Q
    case binPut = 0x71  // q
    case binUnicode = 0x58  // X
    case build = 0x62  // b
    case emptyDictionary = 0x7D  // }
    case emptyList = 0x5D  // ]
    case emptySet = 0x8F
    case emptyTuple = 0x29  // )
    case global = 0x63  // c
    case long1 = 0x8A
    case longBinGet = 0x6A  // j
    case longBinPut = 0x72  // r
    case mark = 0x28  // (
    case newFalse = 0x89
    case newObject = 0x81
    case newTrue = 0x88
    case none = 0x4E  // N
    case proto = 0x80
    case reduce = 0x52  // R
    case setItem = 0x73  // s
    case setItems = 0x75  // u
    case shortBinString = 0x55  // U
    case stop = 0x2E  // .
    case tuple = 0x74  // t
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
}
