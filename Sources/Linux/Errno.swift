import Glibc

/// A system call's error number.
///
/// - Source: `errno(3)`, `include/uapi/asm-generic/errno-base.h`.
package struct Errno: Error, Hashable, Sendable {
  package let code: Int32

  package init(_ code: Int32) { self.code = code }

  package static let notPermitted = Errno(EPERM)
  package static let notFound = Errno(ENOENT)
  package static let noSuchProcess = Errno(ESRCH)
  package static let interrupted = Errno(EINTR)
  package static let inputOutput = Errno(EIO)
  package static let wouldBlock = Errno(EAGAIN)
  package static let noMemory = Errno(ENOMEM)
  package static let noBufferSpace = Errno(ENOBUFS)
  package static let connectionRefused = Errno(ECONNREFUSED)
  package static let accessDenied = Errno(EACCES)
  package static let badAddress = Errno(EFAULT)
  package static let exists = Errno(EEXIST)
  package static let noDevice = Errno(ENODEV)
  package static let notSupported = Errno(EOPNOTSUPP)
  package static let notADirectory = Errno(ENOTDIR)
  package static let isADirectory = Errno(EISDIR)
  package static let invalid = Errno(EINVAL)
  package static let illegalSeek = Errno(ESPIPE)
  package static let tooManyOpenFilesInSystem = Errno(ENFILE)
  package static let tooManyOpenFiles = Errno(EMFILE)
  package static let notATerminal = Errno(ENOTTY)
  package static let fileTooLarge = Errno(EFBIG)
  package static let loop = Errno(ELOOP)
  package static let nameTooLong = Errno(ENAMETOOLONG)
  package static let messageTooLong = Errno(EMSGSIZE)
  package static let noData = Errno(ENODATA)
  package static let noDeviceOrAddress = Errno(ENXIO)
  package static let addressInUse = Errno(EADDRINUSE)
  package static let addressFamilyNotSupported = Errno(EAFNOSUPPORT)
  package static let addressNotAvailable = Errno(EADDRNOTAVAIL)
  package static let connectionAborted = Errno(ECONNABORTED)
  package static let connectionReset = Errno(ECONNRESET)
  package static let brokenPipe = Errno(EPIPE)
  package static let notConnected = Errno(ENOTCONN)
  package static let unreachable = Errno(EHOSTUNREACH)
  package static let inProgress = Errno(EINPROGRESS)
  package static let staleHandle = Errno(ESTALE)
  package static let timedOut = Errno(ETIMEDOUT)
}

extension Errno: CustomStringConvertible {
  /// The C library's sentence for the number, for example "Permission denied".
  package var description: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
