/// The names that someone who wrote another may have meant, nearest first: those that begin with it or hold it, and
/// those few changes away.
package func nearestNames(to name: String, among known: [String]) -> [String] {
    let wanted = Array(name.lowercased().prefix(64))
    let ranked = known.map { candidate -> (name: String, distance: Int) in
        let contains = wanted.count >= 3 && candidate.contains(String(wanted))
        return (candidate, contains ? 0 : editDistance(wanted, Array(candidate)))
    }
    return ranked.filter { $0.distance <= max(2, wanted.count / 3) }
        .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .prefix(3).map(\.name)
}

/// How many letters must be put in, taken out or changed (Levenshtein, 1966).
private func editDistance(_ first: [Character], _ second: [Character]) -> Int {
    var row = Array(0...second.count)
    for (index, letter) in first.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for (place, other) in second.enumerated() {
            let change = diagonal + (letter == other ? 0 : 1)
            diagonal = row[place + 1]
            row[place + 1] = min(change, row[place] + 1, row[place + 1] + 1)
        }
    }
    return row[second.count]
}
