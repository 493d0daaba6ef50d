tcp 443,8443 = < ~ c150-2000 (~ x*){4,22} ~ c60-1400 ~ s70-1500 (~ s20-1500){0,3} ( ~ c76-150#k ~ s@k-16/0 | ~ c36-50 (~ c60-130){0,1} ~ c60-130#req ~ s@req/0 ) ~ c70-230 ~ s50-160 : SSH inside TLS
    id = tls.tunnel.ssh
    severity = high

tcp 443,8443 = < ~ c150-2000#hello (~ s200-1500){1,6} (~ c50-160 (~ s40-700){0,3} ~ c100-450 | ~ c150-600) (~ s200-600){0,2} ~ s55-250 (~ c400-1500 (~ c100-1500){0,1} | ~ c200-400 ) ~ s700-1500 (~ s20-1500){0,5} ~ ( c80-110 ~ c60-700 | c113-190 ~ s70-400 ~ c50-700 ) : TLS inside TLS, through a proxy
    id = tls.tunnel.tls
    severity = medium

tcp 443,8443 = < ~ c150-2000 (~ x*){2,14} (+800ms-5min s23-150 (s23-150){0,2} c23-1500 (~ c23-1500){0,20}){3,} : Shell
    id = tls.reverse_shell
    severity = high

tcp 443,8443 = < ~ c150-2000 ... (+30ms-3s s23-40 c23-100){8,} : Shell typed
    id = tls.reverse_shell.keys
    severity = high

tcp 443,8443 = < ~ c150-2000 (~ x*){2,20} +2s-10min c60-1500#q s30-1500#r (+2s-10min c@q/4 s@r/8){3,} : Beacon
    id = tls.beacon
    severity = low

tcp 443,8443 = < ~ c150-2000 ~ s* where c.bytes > 1M and c.bytes / s.bytes > 5 : Upload
    id = tls.upload
    severity = low
