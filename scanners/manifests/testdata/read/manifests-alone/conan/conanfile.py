from conan import ConanFile

class App(ConanFile):
    requires = "zlib/1.3", "openssl/[>=3.0 <4]"

    def requirements(self):
        self.requires("fmt/10.1.1")

    def build_requirements(self):
        self.tool_requires("cmake/3.27.0")
