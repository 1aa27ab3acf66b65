plugins {
    kotlin("jvm") version "2.0.21"
}

repositories {
    mavenCentral()
    maven {
        url = uri("http://maven.northwind.example/snapshots")
        isAllowInsecureProtocol = true
    }
}

dependencies {
    implementation("com.squareup.okio:okio:3.9.1")
    implementation("com.northwind:money:1.+")
    // implementation("com.northwind:old:+")
}
