import Testing

@testable import ProcFS

private let id = String(repeating: "0123456789abcdef", count: 4)
private let other = String(repeating: "f", count: 64)
private let uid = "a2e5ecf5-4bd9-4b3f-8d4c-c8ed2d7cd3b9"
private let flatUID = "a2e5ecf5_4bd9_4b3f_8d4c_c8ed2d7cd3b9"
private let staticUID = "6b7d5c7a3a2bb6b8a5a7e4d3c2b1a090"
private let task = "34dc0b5e626f2c5c4c5170e34b10e765"

/// Paths as service managers and container engines make them.
@Suite struct CgroupNamesTests {
  @Test(
    arguments: [
      ("/system.slice/nginx.service", "nginx.service", "nginx.service"),
      ("/system.slice/nginx.service/worker", "nginx.service", "nginx.service"),
      ("/system.slice/nginx.service (deleted)", "nginx.service", "nginx.service"),
      (
        "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service",
        "getty@tty1.service"
      ),
      (
        #"/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid-1.service"#,
        #"systemd-fsck@dev-disk-by\x2duuid-1.service"#,
        #"systemd-fsck@dev-disk-by\x2duuid-1.service"#
      ),
      ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope", "session-2.scope"),
      (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service",
        "user@1000.service"
      ),
      (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "app-x.scope",
        "user@1000.service"
      ),
      (
        "/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope",
        "user@1000.service"
      ),
      ("/system.slice/docker-\(id).scope", "docker-\(id).scope", "docker-\(id).scope"),
      (
        "/system.slice/docker-\(id).scope/system.slice/nginx.service", "nginx.service",
        "docker-\(id).scope"
      ),
      ("/init.scope", "init.scope", "init.scope"),
      ("/system.slice/_cpu.service", "cpu.service", "cpu.service"),
      ("/../../system.slice/x.service", "x.service", "x.service"),
      ("/system.slice/a.service/b@.service", "a.service", "a.service"),
      ("/", nil, nil), ("", nil, nil), ("/.service", nil, nil), ("/_.scope", nil, nil),
      ("/docker/abc", nil, nil), ("/system.slice/x.mount", nil, nil), ("service", nil, nil),
      ("/getty@.service", nil, nil),
    ] as [(String, String?, String?)])
  func units(path: String, unit: String?, systemUnit: String?) {
    #expect(Cgroup.unit(ofPath: path) == unit)
    #expect(Cgroup.systemUnit(ofPath: path) == systemUnit)
  }

  @Test(arguments: [
    ("nginx", "nginx.service"), ("nginx.service", "nginx.service"), ("x.scope", "x.scope"),
    ("getty@tty1", "getty@tty1.service"), ("org.foo.bar", "org.foo.bar.service"),
    ("nginx*", "nginx*"), ("session-?", "session-?"), ("getty@*.service", "getty@*.service"),
    ("backup.timer", "backup.timer"), (#"a\x2db"#, #"a\x2db.service"#), ("", ".service"),
  ])
  func unitsAsTheyAreWritten(text: String, unit: String) {
    #expect(Cgroup.unitName(text) == unit)
  }

  @Test(
    arguments: [
      // Docker, with either driver, in Docker, and on ECS.
      ("/docker/\(id)", id), ("/system.slice/docker-\(id).scope", id),
      ("/docker/\(other)/docker/\(id)", id),
      ("/docker/\(other)/system.slice/docker-\(id).scope/init.scope", id),
      ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-\(id).scope", id),
      ("/ecs/\(task)/\(id)", id), ("/ecs/a2e5ecf5-4bd9-4b3f-8d4c-c8ed2d7cd3b9/\(id)", id),
      ("/ecstasks.slice/ecstasks-\(task).slice/docker-\(id).scope", id),
      ("/ecs/\(task)/\(task)-1234567890", "\(task)-1234567890"),
      // Kubernetes.
      ("/kubepods/burstable/pod\(uid)/\(id)", id),
      (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-\(id).scope",
        id
      ),
      ("/kubepods.slice/kubepods-pod1.slice/crio-\(id).scope", id),
      ("/kubepods.slice/kubepods-pod1.slice/crio-\(id).scope/container", id),
      ("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:\(id)", id),
      // Podman, containerd.
      ("/machine.slice/libpod-\(id).scope", id),
      ("/machine.slice/libpod-\(id).scope/container", id),
      ("/machine.slice/machine-libpod_pod_\(other).slice/libpod-\(id).scope", id),
      ("/user.slice/user-1.slice/user@1.service/user.slice/libpod-\(id).scope", id),
      (
        "/user.slice/user-1.slice/user@1.service/user.slice/user-libpod_pod_\(other).slice/"
          + "libpod-\(id).scope/container", id
      ),
      ("/libpod_parent/libpod-\(id)", id), ("/system.slice/nerdctl-\(id).scope (deleted)", id),
      ("/default/\(id)", id), ("/k8s.io/\(id)", id),
      // What is none.
      ("/machine.slice/libpod-conmon-\(id).scope", nil), ("/crio-conmon-\(id).scope", nil),
      ("/docker/\(other)/crio-conmon-\(id).scope", other),
      ("/docker/\(id.dropLast())", nil), ("/docker/\(id)0", nil), ("/docker/x\(id)", nil),
      ("/docker/\(id.uppercased())", nil), ("/", nil), ("", nil), ("/system.slice/x.service", nil),
      ("/ecs/\(task)", nil), ("/ecs/\(task)/x-1", nil), ("/x/\(task)/\(task)-1", nil),
    ] as [(String, String?)])
  func containers(path: String, id: String?) {
    #expect(Cgroup.containerID(ofPath: path) == id)
  }

  @Test(
    arguments: [
      (#"/machine.slice/machine-web.scope"#, "web"),
      (#"/machine.slice/machine-web\x2d1.scope/payload/system.slice/nginx.service"#, "web-1"),
      (#"/machine.slice/machine-web.scope/supervisor"#, nil),
      (#"/machine.slice/systemd-nspawn@web\x2d1.service/payload"#, "web-1"),
      (#"/machine.slice/systemd-nspawn@web.service/supervisor"#, nil),
      (#"/machine.slice/machine-lxc\x2d3712\x2dapp.scope/libvirt"#, "lxc-3712-app"),
      (#"/machine.slice/machine-\xc3\xa4.scope"#, "ä"),
      (#"/machine-\x.scope"#, #"\x"#), (#"/machine-a\x2.scope"#, #"a\x2"#),
      (#"/machine-\xzz\x2d.scope"#, #"\xzz-"#), (#"/machine-\x+2.scope"#, #"\x+2"#),
      ("/machine-.scope", nil), ("/machine.scope", nil),
      ("/lxc/web", "web"), ("/lxc/101/ns/system.slice/cron.service", "101"),
      ("/lxc.payload/web/init.scope", "web"), ("/lxc.payload.web", "web"),
      ("/lxc.payload.project_web/system.slice", "project_web"), ("/lxc", nil),
      ("/lxc.monitor/web", nil), ("/lxc.monitor.web", nil), ("/lxc.payload.", nil),
      ("/lxc.payload.a/lxc.payload.b", "b"),
      (
        "/system.slice/garden.service/garden/70eb4ce5-a065-4401-6990-88ed",
        "70eb4ce5-a065-4401-6990-88ed"
      ),
      ("/default/redis", "redis"), ("/default/redis/sub", "redis"), ("/default/\(id)", nil),
      ("/default", nil), ("/a/default/b", nil), ("/docker/\(id)", nil), ("/", nil), ("", nil),
      ("/lxc.payload.a/docker/\(id)", "a"),
    ] as [(String, String?)])
  func containersByName(path: String, name: String?) {
    #expect(Cgroup.containerName(ofPath: path) == name)
  }

  @Test(
    arguments: [
      ("/kubepods/pod\(uid)/\(id)", uid), ("/kubepods/burstable/pod\(uid)/\(id)", uid),
      ("/kubepods/besteffort/pod\(staticUID)/\(id)", staticUID),
      ("/kubelet/kubepods/burstable/pod\(uid)/\(id)", uid),
      (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(flatUID).slice/"
          + "cri-containerd-\(id).scope", uid
      ),
      ("/kubepods.slice/kubepods-pod\(flatUID).slice/crio-\(id).scope/container", uid),
      ("/kubepods.slice/kubepods-pod\(flatUID).slice", uid),
      (
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
          + "kubelet-kubepods-besteffort-pod\(staticUID).slice/cri-containerd-\(id).scope",
        staticUID
      ),
      (
        "/system.slice/containerd.service/kubepods-burstable-pod\(flatUID).slice:cri-containerd:"
          + id, uid
      ),
      // A cluster in a container.
      ("/docker/\(id)/kubelet/kubepods/pod\(uid)/\(other)", uid),
      ("/kubepods/pod\(staticUID)/\(id)/kubepods/pod\(uid)/\(other)", uid),
      ("/kubepods/pod", nil), ("/kubepods-pod.slice", nil), ("/pod\(uid)/\(id)", nil),
      ("/x-pod\(flatUID).slice", nil), ("/kubepods.slice/pod1.slice", nil),
      ("/machine.slice/machine-libpod_pod_\(id).slice/libpod-\(other).scope", nil),
      ("/kubepods.slice/kubepods-burstable.slice", nil), ("/", nil), ("", nil), (":", nil),
      ("/kubepods/burstable/podcast/x", nil),
    ] as [(String, String?)])
  func pods(path: String, uid: String?) {
    #expect(Cgroup.podUID(ofPath: path) == uid)
  }
}
