module example.com/app

go 1.24

toolchain go1.24.2

require (
	example.com/direct v1.2.3
	example.com/forked v1.0.0
	example.com/local v1.0.0
	example.com/excluded v1.4.0
)

require (
	example.com/indirect v0.0.0-20240102030405-0123456789ab // indirect
	example.com/pinned v2.0.0+incompatible // indirect
)

exclude example.com/excluded v1.4.0

replace (
	example.com/forked => example.com/fork v1.0.1
	example.com/local => ./local
	example.com/pinned v1.0.0 => example.com/unused v9.9.9
)
