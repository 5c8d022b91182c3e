untrusted comment: verify with signify.pub
RWTuBLnNIpwd+4XcG49Dc8Qeds6KNXkfA0qaj0O9Oq9/DxYfvHSrP3GbkzcmQ6+5F9ljE0mlyI/9CamDtw/NGdaXbhry/qD8+wE=
