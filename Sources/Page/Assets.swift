/// Files that the page needs, as they stand in `Assets`.
package enum Assets {
  package static var style: [UInt8] { PackageResources.page_css }
  package static var script: [UInt8] { PackageResources.page_js }
}
