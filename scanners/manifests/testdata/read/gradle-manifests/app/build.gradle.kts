plugins {
    id("org.jetbrains.kotlin.jvm")
}
val ktorVersion = "2.3.7"
dependencies {
    implementation("io.ktor:ktor-server-core:$ktorVersion")
    implementation(platform("org.springframework.boot:spring-boot-dependencies:3.2.1"))
    implementation("org.springframework.boot:spring-boot-starter-web")
    testImplementation("junit:junit:4.13.2")
    implementation(libs.guava)
    // implementation("com.example:out:1.0")
    runtimeOnly("com.example:range:[1.0,2.0)")
}
