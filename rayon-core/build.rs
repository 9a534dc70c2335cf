//! Cargo asks for a build script where there is a `links` key. The key keeps a program from having two rayon-cores.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
