import Foundation
import GoRuntime
import Linux
import Testing

@testable import GoRuntime

/// A Go program that tells what its own runtime says of itself.
final class Subject {
  let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  init(_ path: String) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }
  deinit { process.terminate() }

  func ask(_ command: String) -> String {
    input.fileHandleForWriting.write(Data((command + "\n").utf8))
    var line = Data()
    while let byte = try? output.fileHandleForReading.read(upToCount: 1), byte.first != 10 {
      line += byte
    }
    return String(decoding: line, as: UTF8.self)
  }
}

@Suite struct LiveTests {
  static let programs: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: ".build/go/bin")) ?? []).sorted()

  @Test(arguments: programs) func idle(_ name: String) throws {
    let path = FileManager.default.currentDirectoryPath + "/.build/go/bin/" + name
    let subject = try Subject(path)
    #expect(subject.ask("gc 3") == "done")
    #expect(subject.ask("hold 5") == "done")
    #expect(subject.ask("park 20") == "done")
    #expect(subject.ask("take") == "taken")
    guard case .program(let file) = try ProgramFile.read(try openFile(path, [.read])) else {
      Issue.record("no program")
      return
    }
    var process = GoProcess(file, pid: subject.process.processIdentifier, bias: 0)
    let sample = try process.sample(systemThreads: 100)
    print(name, sample.version, file.symbols != nil)
    print(sample.heap, sample.scheduler)
    if case .success(var c) = sample.collector { c.pauses = []; print(c) } else { print(sample.collector)}
    print(subject.ask("tell"))
  }
}
