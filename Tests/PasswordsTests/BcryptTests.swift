import Passwords
import Testing

@Suite struct BcryptTests {
  private func matches(_ password: [UInt8], _ hash: String) throws -> Bool {
    try Bcrypt().matches(password, Array(hash.utf8))
  }

  @Test(arguments: [
    ("carol123", "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu", true),
    ("carol12", "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu", false),
    ("carol1234", "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu", false),
    ("", "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu", false),
    ("fakepassword", "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", true),
    // The test vectors of the authors of bcrypt and of crypt_blowfish.
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.", false),
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.a", false),
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
    ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", true),
    ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", true),
    ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", true),
    ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
    ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
    ("U*U", "$2y$06$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
    ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX", false),
    // What no web configuration lets through.
    ("U*U", "", false), ("U*U", "$2y$05$", false),
    ("U*U", "$2y$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
    ("U*U", "$6$05$CCCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
  ])
  func verdicts(password: String, hash: String, expected: Bool) throws {
    #expect(try matches(Array(password.utf8), hash) == expected)
  }

  /// bcrypt takes 72 bytes, as crypt_blowfish's vector for a password of 72 and more shows.
  @Test func longPasswordsCountToTheirEnd() throws {
    let hash = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
    let text = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    let bytes = Array((text + "0123456789chars after 72 are ignored").utf8)
    #expect(try matches(bytes, hash))
    #expect(try matches(Array(bytes.prefix(72)), hash))
    #expect(try matches(bytes + [UInt8](repeating: 0x61, count: 10_000), hash))
    #expect(try !matches(Array(bytes.prefix(71)), hash))
  }

  /// Bytes that are no UTF-8, and the letter `a` of hashes, which means the same as the others.
  @Test func bytesOfAnyKind() throws {
    #expect(
      try matches(
        [0xFF, 0xFF, 0xA3], "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"))
    #expect(
      try matches([0xA3], "$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"))
    let password: [UInt8] = [
      0xFF, 0xA3, 0x33, 0x34, 0xFF, 0xFF, 0xFF, 0xA3, 0x33, 0x34, 0x35,
    ]
    for letter in ["a", "b", "y"] {
      let hash = "$2\(letter)$05$/OK.fbVrR/bpIqNJ5ianF.o./n25XVfn6oAPaUvHe.Csk4zRfsYPi"
      #expect(try matches(password, hash))
    }
  }

  /// C's strings end with NUL, passwords do not.
  @Test func nothingHidesBehindNul() throws {
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    for tail: [UInt8] in [[0], [0, 0x61], [0] + Array("U*U".utf8)] {
      #expect(try !matches(Array("U*U".utf8) + tail, hash))
    }
    #expect(try !matches([0], "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"))
  }
}
