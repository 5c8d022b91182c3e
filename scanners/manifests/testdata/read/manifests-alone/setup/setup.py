from setuptools import setup

setup(
    name="app",
    install_requires=[
        "requests>=2.0",
        # "gone==1.0",
        'six == 1.16.0', "attrs[tests]~=23.0",
    ],
    extras_require={"x": ["y"]},
)
