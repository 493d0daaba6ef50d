# The four signatures printed in the announcement of fl0p (M. Zalewski, 2006), as they were printed; ids and severities
# are ours. They describe SSH protocol 1 and line-wise telnet, so today they serve as a proof that old lines still load.

tcp * = < s27/15 c27/15 s300/100 > : SSH1 - client chose to refuse server key
    id = ssh1.hostkey.refused
    severity = high
    category = ssh

tcp * = s12 c@1 s28 + c52 s@1 c@1 s@3 : SSH1 - invalid password attempt
    id = ssh1.auth.failure.manual
    severity = medium
    attack = T1110.001
    category = ssh

tcp * = s12 c@1 s28 c52 s@1 c@1 s@3 : SSH1 - automated password guessing
    id = ssh1.auth.failure.automated
    severity = high
    attack = T1110.001
    category = ssh

tcp * = c30/30 + c1 c1 c1 : Possible manual Windows telnet input (2)
    id = telnet.typing.windows
    severity = low
    attack = T1021
    category = telnet
